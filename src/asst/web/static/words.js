// Words by time: how much each step of the model's network looked at each word.

import { clock } from "./clock.js";
import { $, el } from "./dom.js";

/** Shows attention {words, times_s, weights}, or nothing; calls `hovered({times_s, weights} | null)`. */
export function show(attention, duration_s, hovered) {
  const place = $("words");
  place.hidden = !attention;
  if (!attention) {
    place.replaceChildren();
    return;
  }
  const most = Math.max(...attention.weights.flat());
  const rows = attention.words.map((word, k) => {
    const weights = attention.weights[k];
    const peak = weights.indexOf(Math.max(...weights));
    const heat = el("canvas", { width: attention.times_s.length, height: 1 });
    heat.setAttribute("aria-hidden", "true");
    paint(heat, weights, most);
    const name = el("button", { type: "button", className: "word", textContent: word });
    name.setAttribute("aria-label", `${word}: looked at most at ${clock(attention.times_s[peak])}`);
    const row = el("div", { className: "row" }, name, heat);
    const on = () => {
      row.classList.add("on");
      hovered({ times_s: attention.times_s, weights });
    };
    const off = () => {
      row.classList.remove("on");
      hovered(null);
    };
    row.addEventListener("mouseenter", on);
    row.addEventListener("mouseleave", off);
    name.addEventListener("focus", on);
    name.addEventListener("blur", off);
    return row;
  });
  const title = el("h3", { textContent: "Which words it looked at" });
  const hint = el("p", { className: "quiet", textContent: "Point at a word to see where on the timeline." });
  place.replaceChildren(title, hint, el("div", { className: "rows" }, ...rows));
}

function paint(canvas, weights, most) {
  const context = canvas.getContext("2d");
  const picture = context.createImageData(weights.length, 1);
  weights.forEach((weight, k) => {
    picture.data.set([22, 128, 116, Math.round(255 * Math.sqrt(weight / (most || 1)))], 4 * k);
  });
  context.putImageData(picture, 0, 0);
}
