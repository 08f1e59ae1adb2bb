// The score over a video, the moments on it, and the ends of the open one, to be dragged.

import { clock } from "./clock.js";
import { $, svg } from "./dom.js";

const HEIGHT = 110;
const TOP = 14;
const BOTTOM = 88;
const LEAST_S = 0.1;
const ZOOM_FROM_S = 90;

let view = null;
let at_s = 0;
let word = null;
let handlers = {};
let dragging = null;

/**
 * Shows an answer: {duration_s, curve, threshold, moments}, and the open span.
 * handlers: seek(seconds), choose(index), change(span, final).
 */
export function show(answer, span, chosen, given) {
  handlers = given;
  const same = view?.answer === answer;
  view = { answer, span: { ...span }, chosen, zoomed: same ? view.zoomed : false };
  word = null;
  draw();
}

/** Moves the line that says where the picture is. */
export function playing(seconds) {
  at_s = seconds;
  const line = $("timeline").querySelector(".playhead");
  if (line && view) place(line);
}

/** Shows where a word looks, as a second line: {times_s, weights} or null. */
export function overlay(given) {
  word = given;
  if (!view) return;
  const old = $("timeline").querySelector(".looks");
  const made = looks();
  if (old && made) old.replaceWith(made);
  else if (old) old.remove();
  else if (made) $("timeline").querySelector("svg")?.append(made);
}

function bounds() {
  const total = view.answer.duration_s;
  if (!view.zoomed) return [0, total];
  const wide = Math.max(20, (view.span.end_s - view.span.start_s) * 4);
  const middle = (view.span.start_s + view.span.end_s) / 2;
  const first = Math.max(0, Math.min(total - wide, middle - wide / 2));
  return [first, Math.min(total, first + wide)];
}

const width = () => Math.max(200, $("timeline").clientWidth);

function x(seconds) {
  const [first, last] = bounds();
  return ((seconds - first) / (last - first)) * width();
}

function seconds(pixels) {
  const [first, last] = bounds();
  return Math.min(view.answer.duration_s, Math.max(0, first + (pixels / width()) * (last - first)));
}

function draw() {
  const held = document.activeElement?.dataset?.end;
  const box = svg("svg", {
    viewBox: `0 0 ${width()} ${HEIGHT}`,
    width: width(),
    height: HEIGHT,
    role: "group",
    "aria-label": described(),
  });
  view.answer.moments.forEach((moment, index) => {
    if (index === view.chosen) return;
    const rect = band(moment, "moment");
    rect.setAttribute("y", BOTTOM - 9);
    rect.setAttribute("height", 9);
    rect.addEventListener("click", () => handlers.choose(index));
    box.append(rect);
  });
  box.prepend(svg("rect", { class: "ground", x: 0, y: TOP, width: width(), height: BOTTOM - TOP }), band(view.span, "chosen"));
  box.append(...curve(), ...ticks());
  const made = looks();
  if (made) box.append(made);
  const line = svg("line", { class: "playhead", y1: TOP - 6, y2: BOTTOM + 4 });
  place(line);
  box.append(line, handle("start"), handle("end"));
  box.addEventListener("click", (event) => {
    if (event.target.closest(".moment, .handle")) return;
    handlers.seek(seconds(event.clientX - box.getBoundingClientRect().left));
  });
  const parts = [box];
  if (view.answer.duration_s > ZOOM_FROM_S) parts.push(zoom());
  $("timeline").replaceChildren(...parts);
  if (held) box.querySelector(`[data-end="${held}"]`)?.focus();
}

function described() {
  const { answer } = view;
  const found = answer.moments.map((m) => `${clock(m.start_s)} to ${clock(m.end_s)}`).join(", ");
  return `Timeline of ${clock(answer.duration_s)}; moments at ${found || "no time"}`;
}

function band(moment, kind) {
  const left = Math.max(-2, x(moment.start_s));
  const right = Math.min(width() + 2, x(moment.end_s));
  return svg("rect", { class: kind, x: left, y: TOP, width: Math.max(2, right - left), height: BOTTOM - TOP });
}

function curve() {
  const { curve: own, threshold } = view.answer;
  if (!own) return [];
  const low = Math.min(...own.scores, threshold ?? Infinity);
  const high = Math.max(...own.scores, threshold ?? -Infinity);
  const y = (score) => BOTTOM - 4 - ((score - low) / (high - low || 1)) * (BOTTOM - TOP - 8);
  const made = [svg("polyline", { class: "curve", points: points(own.times_s, own.scores.map(y)) })];
  if (threshold !== null) {
    made.push(svg("line", { class: "threshold", x1: 0, x2: width(), y1: y(threshold), y2: y(threshold) }));
  }
  return made;
}

function looks() {
  if (!word) return null;
  const most = Math.max(...word.weights);
  const y = (share) => BOTTOM - 2 - (share / (most || 1)) * (BOTTOM - TOP - 6);
  return svg("polyline", { class: "looks", points: points(word.times_s, word.weights.map(y)) });
}

const points = (times_s, ys) => times_s.map((t, k) => `${x(t).toFixed(1)},${ys[k].toFixed(1)}`).join(" ");

function ticks() {
  const [first, last] = bounds();
  const about = (last - first) / Math.max(2, width() / 110);
  const step = [0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600].find((s) => s >= about) ?? 7200;
  const made = [];
  for (let t = Math.ceil(first / step) * step; t <= last; t += step) {
    const near = x(t);
    if (near > width() - 28) continue;
    made.push(svg("line", { class: "tick", x1: near, x2: near, y1: BOTTOM, y2: BOTTOM + 5 }));
    const label = svg("text", { class: "label", x: near + 3, y: HEIGHT - 6 });
    label.textContent = clock(t).replace(/\.0$/, "");
    made.push(label);
  }
  return made;
}

function place(line) {
  const at = x(at_s);
  line.setAttribute("x1", at);
  line.setAttribute("x2", at);
}

function handle(end) {
  const value = view.span[`${end}_s`];
  const made = svg("g", {
    class: "handle",
    tabindex: 0,
    role: "slider",
    "data-end": end,
    "aria-label": end === "start" ? "Start of the moment" : "End of the moment",
    "aria-valuemin": 0,
    "aria-valuemax": view.answer.duration_s.toFixed(1),
    "aria-valuenow": value.toFixed(1),
    "aria-valuetext": clock(value),
  });
  const at = Math.min(width(), Math.max(0, x(value)));
  made.append(
    svg("rect", { class: "reach", x: at - 12, y: TOP - 8, width: 24, height: BOTTOM - TOP + 16 }),
    svg("line", { x1: at, x2: at, y1: TOP - 4, y2: BOTTOM + 4 }),
    svg("circle", { cx: at, cy: TOP - 4, r: 5 }),
  );
  made.addEventListener("pointerdown", (event) => grab(event, end));
  made.addEventListener("keydown", (event) => nudge(event, end));
  return made;
}

function grab(event, end) {
  event.preventDefault();
  dragging = end;
  const box = $("timeline").querySelector("svg").getBoundingClientRect();
  const before = JSON.stringify(view.span);
  const move = (moved) => change(end, seconds(moved.clientX - box.left), false);
  const stop = () => {
    window.removeEventListener("pointermove", move);
    window.removeEventListener("pointerup", stop);
    window.removeEventListener("pointercancel", stop);
    dragging = null;
    if (JSON.stringify(view.span) !== before) handlers.change({ ...view.span }, true);
  };
  window.addEventListener("pointermove", move);
  window.addEventListener("pointerup", stop);
  window.addEventListener("pointercancel", stop);
}

let settling = 0;

function nudge(event, end) {
  const by = { ArrowLeft: -0.1, ArrowDown: -0.1, ArrowRight: 0.1, ArrowUp: 0.1 }[event.key];
  if (!by) return;
  event.preventDefault();
  event.stopPropagation();
  change(end, view.span[`${end}_s`] + by * (event.shiftKey ? 10 : 1), false);
  // Many small steps are one correction.
  clearTimeout(settling);
  settling = setTimeout(() => handlers.change({ ...view.span }, true), 600);
}

function change(end, value, final) {
  const { span, answer } = view;
  if (end === "start") span.start_s = Math.min(Math.max(0, value), span.end_s - LEAST_S);
  else span.end_s = Math.max(Math.min(answer.duration_s, value), span.start_s + LEAST_S);
  handlers.change({ ...span }, final);
  draw();
}

function zoom() {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "zoom";
  made.textContent = view.zoomed ? "Whole video" : "Around the moment";
  made.addEventListener("click", () => {
    view.zoomed = !view.zoomed;
    draw();
  });
  return made;
}

new ResizeObserver(() => {
  if (view && !dragging) draw();
}).observe($("timeline"));
