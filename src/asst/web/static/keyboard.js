// Keys that work wherever the focus is, unless something is being typed.

import { $ } from "./dom.js";
import { step } from "./results.js";

/** acts: what keys do with the open video, by key; close(); pick(), which works without one; isOpen(). */
export function start({ open, close, pick, isOpen }) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const { target, key } = event;
    const typing = target.matches?.("input:not([type=checkbox]), select");
    if (key === "Escape") {
      if (typing) target.blur();
      else close();
      return;
    }
    if (typing) {
      if (key === "ArrowDown" && target.type === "search") {
        event.preventDefault();
        step(1);
      }
      return;
    }
    const name = key.length === 1 ? key.toLowerCase() : key;
    const act =
      (isOpen() && open[name]) ||
      {
        "/": () => $("query").focus(),
        "?": () => $("help").showModal(),
        ArrowDown: () => step(1),
        ArrowUp: () => step(-1),
        ArrowRight: () => step(1),
        ArrowLeft: () => step(-1),
        x: pick,
      }[name];
    if (!act) return;
    // A focused button or box takes the space bar; a card gives it to the player.
    if (key === " " && target.closest?.("button:not(.card), input, a, summary")) return;
    event.preventDefault();
    act(event);
  });
}
