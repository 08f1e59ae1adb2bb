// Words by time: where the model looked at those words that it looked at unevenly.

import { clock } from "./clock.js";
import { $, button, el } from "./dom.js";

/** Shows attention {words, telling, times_s, weights}, where it tells anything; calls `hovered({times_s, weights} | null)`. */
export function show(attention, hovered) {
  const place = $("words");
  const telling = attention ? attention.words.map((_, k) => k).filter((k) => attention.telling[k]) : [];
  place.hidden = !telling.length;
  if (!telling.length) {
    place.replaceChildren();
    return;
  }
  const title = el("h3", { textContent: "Words it looked at" });
  place.replaceChildren(title, ...telling.map((k) => word(attention, k, hovered)));
}

function word({ words, times_s, weights }, k, hovered) {
  const peak = times_s[weights[k].indexOf(Math.max(...weights[k]))];
  const more = { className: "word", title: "Point at it to see where on the timeline" };
  const made = button(`${words[k]} ${clock(peak)}`, `${words[k]}: looked at most at ${clock(peak)}`, null, more);
  const on = () => hovered({ times_s, weights: weights[k] });
  const off = () => hovered(null);
  for (const event of ["mouseenter", "focus"]) made.addEventListener(event, on);
  for (const event of ["mouseleave", "blur"]) made.addEventListener(event, off);
  return made;
}
