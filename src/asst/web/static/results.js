// The list: moments that were found, by video, or the videos of the library.

import { clock, length } from "./clock.js";
import { $, button, el, plural } from "./dom.js";
import * as picks from "./picks.js";
import { badge, inWords } from "./score.js";

const STATES = { right: "Right", wrong: "Wrong", span: "Your ends" };

/** The moments that are shown, in their order, and how each is opened. */
let shown = [];
let open = () => {};

/** Shows moments by video; `sort` is best or time, `opened(moment)` is called for the chosen one. */
export function showMoments(moments, { sort, guess }, opened) {
  open = opened;
  const groups = [...Map.groupBy(moments, (moment) => moment.video.id).values()];
  if (sort === "time") {
    groups.forEach((own) => own.sort((a, b) => a.start_s - b.start_s));
    groups.sort(([a], [b]) => a.video.name.localeCompare(b.video.name));
  }
  shown = groups.flat();
  $("cards").className = guess ? "moments guess" : "moments";
  $("cards").replaceChildren(...groups.map(group));
}

function group(own) {
  const { video } = own[0];
  const name = el("h3", { className: "name", textContent: video.name, title: video.name });
  const about = [video.folder, length(video.duration_s), own.length > 1 ? plural(own.length, "moment") : ""];
  const facts = el("span", { className: "quiet", textContent: about.filter(Boolean).join(" · ") });
  return el("li", { className: "group" }, el("div", { className: "bar" }, name, facts), el("ol", {}, ...own.map(row)));
}

function row(moment) {
  const { start_s, end_s } = picks.endsOf(moment);
  const span = `${clock(start_s)} to ${clock(end_s)}`;
  const state = moment.said ? STATES[moment.said.verdict] : "";
  const told = [moment.video.name, span, inWords(moment.score), state].filter(Boolean);
  const card = el(
    "button",
    { type: "button", className: "card", "aria-label": told.join(", "), onclick: () => open(moment) },
    el("img", { src: moment.picture, alt: "", loading: "lazy", width: 160, height: 90 }),
    el("span", { className: "when", textContent: span }),
    badge(moment.score),
    el("span", { className: `state ${moment.said?.verdict ?? ""}`, textContent: state }),
  );
  const box = el("input", {
    type: "checkbox",
    checked: picks.has(moment),
    "aria-label": `Select ${span} of ${moment.video.name}`,
    onchange: () => picks.toggle(moment),
  });
  return el("li", { className: "moment" }, card, el("label", { className: "pick", title: "Select (X)" }, box));
}

/** Shows a moment anew, as what is said of it, or its being selected, has changed. */
export function update(moment) {
  const at = shown.indexOf(moment);
  if (at < 0) return;
  const old = cards()[at];
  const made = row(moment);
  if (old.hasAttribute("aria-current")) made.firstChild.setAttribute("aria-current", "true");
  const held = old.parentElement.contains(document.activeElement) && document.activeElement.tagName;
  old.parentElement.replaceWith(made);
  if (held) made.querySelector(held).focus();
}

/** Shows videos, after those that are shown where `more`; `acts` are open(video) and remove(video). */
export function showVideos(videos, acts, more) {
  shown = [];
  const made = videos.map((video) => {
    const told = [video.name, video.folder, length(video.duration_s)].filter(Boolean).join(", ");
    const card = el(
      "button",
      { type: "button", className: "card", "aria-label": told, onclick: () => acts.open(video) },
      el("span", { className: "strip" }, el("img", { src: video.strip.url, alt: "", loading: "lazy" })),
      el("span", { className: "name", textContent: video.name, title: video.name }),
      el("span", { className: "when", textContent: length(video.duration_s) }),
      el("span", { className: "folder quiet", textContent: video.folder }),
    );
    const remove = button("Remove", `Remove ${video.name}`, () => acts.remove(video), { className: "remove" });
    return el("li", {}, card, remove);
  });
  $("cards").className = "videos";
  if (more) $("cards").append(...made);
  else $("cards").replaceChildren(...made);
}

/** Marks the card of the open moment; of none where it is not in the list. */
export function mark(moment) {
  const at = shown.indexOf(moment);
  cards().forEach((card, place) => {
    if (place === at && moment) card.setAttribute("aria-current", "true");
    else card.removeAttribute("aria-current");
  });
  if (at >= 0) cards()[at].scrollIntoView({ block: "nearest" });
}

/** The moment so many places on, or null; of the open one and all, its place in words. */
export const beside = (moment, by) => (shown.includes(moment) ? (shown[shown.indexOf(moment) + by] ?? null) : null);
export const placeOf = (moment) => (shown.includes(moment) ? `${shown.indexOf(moment) + 1} of ${shown.length}` : "");

/** The moment whose card has the focus, or null. */
export const focused = () => shown[cards().findIndex((card) => card.parentElement.contains(document.activeElement))] ?? null;

/** Moves the focus by so many cards; from nowhere to the marked one's neighbour, the first or the last. */
export function step(by) {
  const all = cards();
  if (!all.length) return;
  const at = all.findIndex((card) => card.parentElement.contains(document.activeElement));
  const current = at >= 0 ? at : all.findIndex((card) => card.hasAttribute("aria-current"));
  const next = current < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, current + by));
  all[next].focus();
}

const cards = () => [...$("cards").querySelectorAll(".card")];
