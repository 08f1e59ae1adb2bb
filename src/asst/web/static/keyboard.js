// Keys that work wherever the focus is, unless something is being typed.

import { step } from "./cards.js";
import { $ } from "./dom.js";

/** acts: {play, moment, clip, right, wrong, close} */
export function start(acts) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || $("help").open) return;
    const typing = event.target.matches?.("input[type=search]");
    if (event.key === "Escape") {
      if (typing) event.target.blur();
      else acts.close();
      return;
    }
    if (typing) {
      if (event.key === "ArrowDown") {
        event.preventDefault();
        step(1);
      }
      return;
    }
    const act = {
      "/": () => $("query").focus(),
      "?": () => $("help").showModal(),
      ArrowDown: () => step(1),
      ArrowUp: () => step(-1),
      ArrowRight: () => step(1),
      ArrowLeft: () => step(-1),
      m: acts.moment,
      c: acts.clip,
      r: acts.right,
      w: acts.wrong,
      " ": acts.play,
    }[event.key];
    if (!act) return;
    // A focused button, box or video takes its own keys; a card gives the space bar to the player.
    const own = event.target.closest?.("button:not(.card), input, a, video, [role=slider]");
    if (own && (event.key === " " || event.key.startsWith("Arrow"))) return;
    event.preventDefault();
    act();
  });
}
