// The video over time: pictures, the score, the moment between its two ends, and the other moments under it.

import { pictureUrl } from "./api.js";
import { clock, exact } from "./clock.js";
import { $, button, el, svg } from "./dom.js";
import * as player from "./player.js";
import { confidence, inWords } from "./score.js";

const PICTURES = 8;
const TICKS = 6;
const STEPS_S = [0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600];
// A moment that is a smaller share of the video is shown closer from the beginning.
const CLOSE_BELOW = 0.03;
const CLOSE = 8;
const CLOSEST_S = 1;

// What is shown: {video, moment, span, others, curve, threshold}, and the part of the video, in seconds.
let view = null;
let [first, last] = [0, 1];
let at_s = 0;
let word = null;
let handlers = {};

/** Shows a view; handlers: seek(seconds), open(moment), change(span, final). */
export function show(given, acts) {
  const same = view?.video.id === given.video.id && view?.moment === given.moment;
  view = given;
  handlers = acts;
  if (!same) {
    word = null;
    const length_s = given.span.end_s - given.span.start_s;
    const { duration_s } = given.video;
    frameOn(given.span, length_s < CLOSE_BELOW * duration_s ? length_s * CLOSE : duration_s);
  }
  draw();
}

/** Shows the span as it is now. */
export function setSpan(span) {
  view.span = span;
  placeSpan();
}

/** Moves the line that says where the picture is, and the part that is shown after it. */
export function playing(seconds) {
  at_s = seconds;
  if (!view) return;
  if (!$("player").paused && (at_s > last || at_s < first) && last - first < view.video.duration_s) {
    move(at_s - 0.1 * (last - first), last - first);
    draw();
  }
  placeLine();
}

/** Shows closer (2) or wider (0.5), around the moment. */
export function zoom(by) {
  frameOn(view.span, Math.max(CLOSEST_S, (last - first) / by));
  draw();
}

/** Shows where a word was looked at, as a second line: {times_s, weights} or null. */
export function overlay(given) {
  word = given;
  const old = $("timeline").querySelector(".looks");
  if (old) old.replaceWith(looks());
}

/** Puts the focus on an end. */
export const focus = (end) => $("timeline").querySelector(`[data-end="${end}"]`)?.focus();

function frameOn(span, length_s) {
  move((span.start_s + span.end_s - length_s) / 2, length_s);
}

function move(from_s, length_s) {
  const { duration_s } = view.video;
  const whole = Math.min(duration_s, length_s);
  first = Math.max(0, Math.min(duration_s - whole, from_s));
  last = first + whole;
}

const percent = (seconds) => `${(100 * seconds) / view.video.duration_s}%`;

function at(made, start_s, end_s) {
  made.style.left = percent(start_s);
  if (end_s !== undefined) made.style.width = percent(end_s - start_s);
  return made;
}

function draw() {
  const held = document.activeElement?.dataset?.end;
  const { duration_s } = view.video;
  const inner = el("div", { className: "inner" });
  inner.style.width = `${(100 * duration_s) / (last - first)}%`;
  inner.style.marginLeft = `${(-100 * first) / (last - first)}%`;
  const scrubbed = el("div", { className: "scrub" }, film(), graph(), el("div", { className: "chosen" }));
  // The window is wider than the pictures, so that a handle at either end is whole.
  scrubbed.style.clipPath = `inset(0 ${100 - (100 * last) / duration_s}% 0 ${(100 * first) / duration_s}%)`;
  scrubbed.addEventListener("pointerdown", scrub);
  inner.append(scrubbed, lane(), ruler(), el("div", { className: "playhead" }), handle("start"), handle("end"));
  const box = el("div", { className: "window", role: "group", "aria-label": described() }, inner);
  $("timeline").replaceChildren(box, tools());
  placeSpan();
  placeLine();
  if (held) focus(held);
}

function described() {
  const { moment, others, video } = view;
  const spans = [moment, ...others].filter(Boolean).map((m) => `${clock(m.start_s)} to ${clock(m.end_s)}`);
  return `Timeline of ${clock(video.duration_s)}; moments at ${spans.join(", ") || "no time"}`;
}

function film() {
  const { video } = view;
  const made = el("div", { className: "film", "aria-hidden": "true" });
  if (last - first >= video.duration_s) {
    made.append(el("img", { src: video.strip.url, alt: "", draggable: false }));
    return made;
  }
  made.classList.add("close");
  const each = (last - first) / PICTURES;
  for (let k = 0; k < PICTURES; k++) {
    const start_s = first + k * each;
    const src = pictureUrl(video.id, start_s + each / 2);
    made.append(at(el("img", { src, alt: "", draggable: false, loading: "lazy" }), start_s, start_s + each));
  }
  return made;
}

function graph() {
  const { curve, threshold, video } = view;
  const made = el("div", { className: "graph" });
  if (!curve) return made;
  const low = Math.min(0, ...curve.scores);
  const high = 1.08 * Math.max(...curve.scores, 1.5 * (threshold ?? 0), 0.01);
  const y = (score) => 100 - (100 * (score - low)) / (high - low);
  const box = svg("svg", { viewBox: `0 0 ${video.duration_s} 100`, preserveAspectRatio: "none", "aria-hidden": "true" });
  const points = curve.times_s.map((t, k) => `${t},${y(curve.scores[k]).toFixed(1)}`).join(" ");
  box.append(svg("polygon", { class: "under", points: `${curve.times_s[0]},100 ${points} ${curve.times_s.at(-1)},100` }));
  box.append(svg("polyline", { class: "curve", points }), looks());
  made.append(box);
  if (threshold !== null) {
    const line = el("div", { className: "threshold" });
    line.style.top = `${y(threshold)}%`;
    made.append(line);
  }
  return made;
}

function looks() {
  if (!word) return svg("polyline", { class: "looks" });
  const most = Math.max(...word.weights);
  const points = word.times_s.map((t, k) => `${t},${(98 - (92 * word.weights[k]) / (most || 1)).toFixed(1)}`);
  return svg("polyline", { class: "looks on", points: points.join(" ") });
}

function lane() {
  const made = el("div", { className: "lane" });
  for (const moment of view.others) {
    const title = `${clock(moment.start_s)} to ${clock(moment.end_s)}, ${inWords(moment.score)}`;
    const className = `other ${confidence(moment.score)}`;
    const other = button("", `Moment at ${title}`, () => handlers.open(moment), { className, title });
    made.append(at(other, moment.start_s, moment.end_s));
  }
  return made;
}

function ruler() {
  const made = el("div", { className: "ruler", "aria-hidden": "true" });
  const step = STEPS_S.find((s) => s >= (last - first) / TICKS) ?? 7200;
  for (let t = Math.ceil(first / step) * step; t <= last - 0.4 * step; t += step) {
    made.append(at(el("span", { textContent: step < 1 ? clock(t) : clock(t).slice(0, -2) }), t));
  }
  return made;
}

function tools() {
  const tool = (text, label, act, disabled) => button(text, label, act, { disabled, title: label });
  const { duration_s } = view.video;
  const whole = last - first >= duration_s;
  const legend = el("span", { className: "quiet legend" });
  if (view.curve && view.threshold !== null) {
    legend.append(el("span", { className: "dash", "aria-hidden": "true" }), `score; from ${view.threshold.toFixed(2)} on (dashed) it counts as found`);
  }
  return el(
    "div",
    { className: "bar tools" },
    legend,
    el("span", { className: "gap" }),
    tool("−", "Wider (−)", () => zoom(0.5), whole),
    tool("+", "Closer (+)", () => zoom(2), false),
    tool("All", "The whole video", () => zoom((last - first) / duration_s), whole),
  );
}

function placeSpan() {
  const { span } = view;
  const chosen = $("timeline").querySelector(".chosen");
  at(chosen, span.start_s, span.end_s);
  for (const end of ["start", "end"]) {
    const made = $("timeline").querySelector(`[data-end="${end}"]`);
    at(made, span[`${end}_s`]);
    made.setAttribute("aria-valuenow", span[`${end}_s`].toFixed(3));
    made.setAttribute("aria-valuetext", exact(span[`${end}_s`]));
  }
}

function placeLine() {
  const line = $("timeline").querySelector(".playhead");
  if (line) at(line, Math.min(at_s, view.video.duration_s));
}

function handle(end) {
  const made = el("div", {
    className: `handle ${end}`,
    tabIndex: 0,
    role: "slider",
    "data-end": end,
    "aria-label": end === "start" ? "Start of the moment" : "End of the moment",
    "aria-valuemin": "0",
    "aria-valuemax": view.video.duration_s.toFixed(3),
  });
  made.addEventListener("pointerdown", (event) => grab(event, end));
  made.addEventListener("keydown", (event) => nudge(event, end));
  return made;
}

/** The seconds under a pointer. */
function under(event) {
  const box = $("timeline").querySelector(".inner").getBoundingClientRect();
  return Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)) * view.video.duration_s;
}

/** Follows a pointer until it is let go. */
function track(event, moved, ended = () => {}) {
  if (event.button) return;
  event.preventDefault();
  const stop = () => {
    window.removeEventListener("pointermove", moved);
    for (const name of ["pointerup", "pointercancel"]) window.removeEventListener(name, stop);
    ended();
  };
  window.addEventListener("pointermove", moved);
  for (const name of ["pointerup", "pointercancel"]) window.addEventListener(name, stop);
}

function scrub(event) {
  handlers.seek(under(event));
  track(event, (moved) => handlers.seek(under(moved)));
}

function grab(event, end) {
  const before = view.span;
  focus(end);
  track(
    event,
    (moved) => handlers.change(end, under(moved), false),
    () => view.span !== before && handlers.change(end, view.span[`${end}_s`], true),
  );
}

function nudge(event, end) {
  const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (!way) return;
  event.preventDefault();
  event.stopPropagation();
  const by = event.shiftKey ? 1 : 1 / player.frameRate();
  handlers.change(end, view.span[`${end}_s`] + way * by, false);
}
