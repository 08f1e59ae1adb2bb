// How sure the model is: a word and a bar, on the server's scale; and the score of ends that a person set.

import { el } from "./dom.js";

const WORDS = { sure: "Sure", likely: "Likely", weak: "Weak" };

let bounds = null;

/** Takes the scale of an answer, {sure, likely}: from which scores on a moment is that; null where scores have none. */
export function setScale(given) {
  bounds = given;
}

/** The word for a score; nothing where scores have no scale. */
export function confidence(score) {
  if (!bounds) return "";
  return score >= bounds.sure ? "sure" : score >= bounds.likely ? "likely" : "weak";
}

/** A score in two decimals, rounded down where a higher one would have another word. */
export function shown(score) {
  const text = score.toFixed(2);
  return confidence(Number(text)) === confidence(score) ? text : (score - 0.005).toFixed(2);
}

/** The word and the bar of a score, and its number when it is pointed at; the number alone where there is no scale. */
export function badge(score) {
  const word = confidence(score);
  const made = el("span", { className: `badge ${word}`, title: `Score ${shown(score)}` });
  if (word) made.append(el("span", { className: "bars", "aria-hidden": "true" }));
  made.append(WORDS[word] ?? shown(score));
  return made;
}

export const inWords = (score) => [confidence(score), `score ${shown(score)}`].filter(Boolean).join(", ");

/**
 * The score of a span of which the model said nothing, from its curve. A found moment's score is where the curve is on
 * average over it, as log-odds (docs/models.md); so the span's lies as far from it as the curve's averages do.
 */
export function scoreOf(span, moment, curve) {
  if (moment && span.start_s === moment.start_s && span.end_s === moment.end_s) return moment.score;
  if (!curve) return null;
  const shift = moment ? logit(moment.score) - level(moment, curve) : 0;
  return 1 / (1 + Math.exp(-level(span, curve) - shift));
}

const POINTS = 48;

function level(span, curve) {
  let sum = 0;
  for (let k = 0; k < POINTS; k++) {
    sum += logit(at(span.start_s + ((k + 0.5) / POINTS) * (span.end_s - span.start_s), curve));
  }
  return sum / POINTS;
}

function at(seconds, { times_s, scores }) {
  const after = times_s.findIndex((t) => t >= seconds);
  if (after <= 0) return scores[after < 0 ? scores.length - 1 : 0];
  const share = (seconds - times_s[after - 1]) / (times_s[after] - times_s[after - 1]);
  return scores[after - 1] + share * (scores[after] - scores[after - 1]);
}

function logit(score) {
  const share = Math.min(0.9999, Math.max(0.0001, score));
  return Math.log(share / (1 - share));
}
