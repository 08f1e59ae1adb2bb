// The list: moments that were found, or the videos of the library.

import { clock, length } from "./clock.js";
import { $, el } from "./dom.js";

/** Shows moments; `open(moment, index)` is called for the chosen one. */
export function showMoments(moments, open) {
  $("cards").className = "";
  $("cards").replaceChildren(
    ...moments.map((moment, index) => {
      const name = moment.video.name;
      const span = `${clock(moment.start_s)} to ${clock(moment.end_s)}`;
      const picture = el("img", { src: moment.picture, alt: "", loading: "lazy", width: 160, height: 90 });
      const facts = el(
        "span",
        { className: "facts" },
        el("span", { className: "name", textContent: name }),
        el("span", { className: "when", textContent: span }),
        el("span", { className: "score", textContent: moment.score.toFixed(2) }),
      );
      const card = el("button", { type: "button", className: "card", onclick: () => open(moment, index) }, picture, facts);
      card.setAttribute("aria-label", `${name}, ${span}, score ${moment.score.toFixed(2)}`);
      return el("li", {}, card);
    }),
  );
}

/** Shows videos, after those that are shown where `more`; `open(video)` is called for the chosen one. */
export function showVideos(videos, open, more) {
  const made = videos.map((video) => {
    const strip = el("span", { className: "strip" });
    strip.append(el("img", { src: video.strip.url, alt: "", loading: "lazy" }));
    const facts = el(
      "span",
      { className: "facts" },
      el("span", { className: "name", textContent: video.name }),
      el("span", { className: "when", textContent: length(video.duration_s) }),
    );
    const card = el("button", { type: "button", className: "card", onclick: () => open(video) }, strip, facts);
    card.setAttribute("aria-label", `${video.name}, ${length(video.duration_s)}`);
    return el("li", {}, card);
  });
  $("cards").className = "videos";
  if (more) $("cards").append(...made);
  else $("cards").replaceChildren(...made);
}

/** Marks the card of the open result. */
export function mark(index) {
  cards().forEach((card, place) => {
    if (place === index) card.setAttribute("aria-current", "true");
    else card.removeAttribute("aria-current");
  });
}

/** Moves the focus by so many cards; from nowhere to the first or the last. */
export function step(by) {
  const all = cards();
  if (!all.length) return;
  const at = all.indexOf(document.activeElement);
  const current = at >= 0 ? at : all.findIndex((card) => card.hasAttribute("aria-current"));
  const next = current < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, current + by));
  all[next].focus();
}

const cards = () => [...$("cards").querySelectorAll(".card")];
