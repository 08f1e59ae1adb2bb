// The open moment: its ends, and what the user says of it.

import * as api from "./api.js";
import { code, exact, read } from "./clock.js";
import { $, onPress, save as saveFile, say, showFault } from "./dom.js";
import * as picks from "./picks.js";
import * as player from "./player.js";
import { update } from "./results.js";
import { badge, scoreOf, shown } from "./score.js";
import * as timeline from "./timeline.js";

const SETTLED_MS = 600;
const SAID = {
  right: "Kept: this is right.",
  wrong: "Kept: this is not it.",
  span: "Kept: your ends, as right.",
};

// {video, query, moment, others, curve, threshold, span}; `moment` is null for a span that the model did not find.
let open = null;
let settling = 0;
// The end that is being typed, whose field is left alone meanwhile.
let typing = "";
// What users say is sent in the order in which they say it.
let saving = Promise.resolve();
let acts = {};

/** Wires the controls; `given` are open(moment) for another moment of the video, and moved() when ends have changed. */
export function start(given) {
  acts = given;
  for (const end of ["start", "end"]) {
    $(end).addEventListener("input", () => (typing = end));
    $(end).addEventListener("change", () => typed(end));
    $(end).addEventListener("focus", () => $(end).select());
    $(end).addEventListener("blur", () => (typing = ""));
  }
  onPress("in", setIn);
  onPress("out", setOut);
  onPress("right", () => judge("right"));
  onPress("wrong", () => judge("wrong"));
  onPress("undo", undo);
  onPress("pick", pick);
  onPress("clip", saveClip);
}

/** Shows a moment, or a span that is none. */
export function show(given) {
  flush();
  open = { ...given, span: ends(given.moment ? picks.endsOf(given.moment) : given.span) };
  draw();
}

/** Takes what became known of the open video. */
export function learn(curve, threshold) {
  Object.assign(open, { curve, threshold });
  draw();
}

/** Forgets the open moment. */
export function close() {
  flush();
  open = null;
}

export const span = () => open?.span ?? null;

const ends = ({ start_s, end_s }) => ({ start_s, end_s });
const same = (a, b) => a.start_s === b.start_s && a.end_s === b.end_s;

function draw() {
  timeline.show(open, { seek: player.seek, open: acts.open, change });
  document.querySelector(".verdict").hidden = !open.query;
  showSpan();
  showSaid();
}

function showSpan() {
  const own = open.span;
  player.setSpan(own);
  timeline.setSpan(own);
  for (const end of ["start", "end"]) if (end !== typing) $(end).value = exact(own[`${end}_s`]);
  $("length").textContent = `${(own.end_s - own.start_s).toFixed(3)} s`;
  const score = open.query ? scoreOf(own, open.moment, open.curve) : null;
  $("rated").replaceChildren(...(score === null ? [] : [badge(score), ` ${shown(score)}`]));
}

function showSaid() {
  const said = open.moment?.said;
  $("right").setAttribute("aria-pressed", said?.verdict === "right" || said?.verdict === "span");
  $("wrong").setAttribute("aria-pressed", said?.verdict === "wrong");
  $("undo").hidden = !said;
  $("said").textContent = said
    ? SAID[said.verdict]
    : `Right: it shows “${open.query}”. Wrong: it does not. Ends that you move are kept as right. Who asks this again gets what you said first.`;
  $("pick").setAttribute("aria-pressed", Boolean(open.moment && picks.has(open.moment)));
}

function setSpan(given) {
  open.span = given;
  showSpan();
}

function change(end, value, final) {
  const { video } = open;
  const old = open.span;
  const at_s = Math.min(video.duration_s, Math.max(0, player.snapped(value)));
  const least = 1 / player.frameRate();
  const made =
    end === "start"
      ? { ...old, start_s: Math.max(0, Math.min(at_s, old.end_s - least)) }
      : { ...old, end_s: Math.min(video.duration_s, Math.max(at_s, old.start_s + least)) };
  setSpan(made);
  player.seek(end === "start" ? made.start_s : made.end_s - least / 2);
  unsettle();
  // Many small steps are one correction.
  if (final) save();
  else settling = setTimeout(save, SETTLED_MS);
}

async function typed(end) {
  typing = "";
  const own = open;
  const text = $(end).value;
  // The frames of a time code have a length when the rate is known.
  await player.rated();
  if (own !== open) return;
  const { duration_s } = own.video;
  const counted = player.timeCode();
  const value = read(text, counted) ?? -1;
  const frame_s = 1 / player.frameRate();
  const at_s = Math.min(duration_s, player.snapped(value));
  if (end === "start" ? at_s < 0 || at_s >= duration_s : at_s <= 0 || value > duration_s + frame_s) {
    const [first, after] = [0, Math.round(duration_s * counted.rate)].map((frame) => code(frame, counted));
    showFault(new Error(`“${text}” is no time of this video; write 12.4, 1:02.5, 1:02:03 or a time code, ${first} to ${after}`));
    showSpan();
    return;
  }
  showFault(null);
  put(end, at_s);
  player.seek(end === "start" ? at_s : at_s - frame_s / 2);
}

/** Sets an end; a moment whose other end would be on the wrong side keeps its length. */
function put(end, at_s) {
  const { start_s, end_s } = open.span;
  const length_s = end_s - start_s;
  const after_s = at_s < end_s ? end_s : Math.min(open.video.duration_s, at_s + length_s);
  const before_s = at_s > start_s ? start_s : Math.max(0, at_s - length_s);
  const made = end === "start" ? { start_s: at_s, end_s: after_s } : { start_s: before_s, end_s: at_s };
  if (made.start_s >= made.end_s) return;
  setSpan(made);
  save();
}

/** Begins the moment with the picture that is shown. */
export const setIn = () => put("start", player.frame() / player.frameRate());

/** Ends it after the picture that is shown. */
export const setOut = () => put("end", Math.min(open.video.duration_s, (player.frame() + 1) / player.frameRate()));

/** Says that the moment is right or wrong; what is wrong is what the model found, and not ends that were moved. */
export async function judge(verdict) {
  if (!open?.query) return;
  const { moment } = open;
  unsettle();
  if (verdict === "wrong" && moment) setSpan(ends(moment));
  const edited = moment && !same(moment, open.span);
  await keep(verdict === "right" && edited ? "span" : verdict);
}

/** Takes back what was said, and the ends with it. */
export async function undo() {
  unsettle();
  const own = open;
  const pressed = document.activeElement === $("undo");
  await ordered(async () => {
    const { moment } = own;
    if (!moment?.said) return;
    await api.forget(moment.said.id);
    Object.assign(moment, moment.said.proposed, { said: null });
    if (own === open) open.span = ends(moment);
    told(own, "Undone");
    if (pressed) $("right").focus();
  });
}

function saveClip() {
  const [{ video, span: own }, fast] = [open, $("fast").checked];
  return saveFile("clip", fast ? "Copying…" : "Encoding…", () => api.clip(video.id, own, fast));
}

/** Selects the open moment, or takes it out of the selection. */
export function pick() {
  flush();
  picks.toggle(asMoment(open));
  showSaid();
}

/** What shows again whether the open moment is selected. */
export const selected = () => open && showSaid();

// A span that the user made is from here on a moment like those that were found.
function asMoment(own) {
  const { video, query, curve } = own;
  own.moment ??= { video, query: query || video.name, ...own.span, score: scoreOf(own.span, null, curve) ?? 0, said: null, own: true };
  return own.moment;
}

function flush() {
  if (settling) save();
}

function save() {
  unsettle();
  if (open.query) {
    keep("span");
    return;
  }
  if (open.moment) {
    open.moment.said = { verdict: "span", ...open.span };
    picks.follow(open.moment);
  }
  acts.moved();
  player.settled();
}

function unsettle() {
  clearTimeout(settling);
  settling = 0;
}

function keep(verdict) {
  const own = open;
  const said = ends(own.span);
  showFault(null);
  return ordered(async () => {
    const moment = asMoment(own);
    const proposed = moment.own ? null : { ...ends(moment), score: moment.score };
    if (moment.own && moment.said) await api.forget(moment.said.id);
    moment.said = await api.correct({ video: own.video.id, query: own.query, verdict, ...said, proposed });
    told(own, SAID[verdict]);
  });
}

function told(own, text) {
  update(own.moment);
  picks.follow(own.moment);
  say(text);
  if (own !== open) return;
  showSpan();
  showSaid();
  acts.moved();
  player.settled();
}

function ordered(work) {
  saving = saving.then(work).catch(showFault);
  return saving;
}
