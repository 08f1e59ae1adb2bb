// The selection: moments of any videos and sentences, to be taken away as one file.

import * as api from "./api.js";
import { clock } from "./clock.js";
import { $, button, el, onPress, plural, save, say } from "./dom.js";
import * as kept from "./kept.js";

let picked = kept.picks.get();
let changed = () => {};

/** Begins; `told(moment or null)` is called when a moment is selected or not any more, null for all. */
export function start(told) {
  changed = told;
  onPress("unpick", () => {
    picked = [];
    show();
    changed(null);
  });
  onPress("export", exported);
  show();
}

// A moment is the same however its ends are set.
const key = (moment) => `${moment.video.id} ${moment.start_s} ${moment.end_s} ${moment.query}`;
const place = (moment) => picked.findIndex((own) => own.key === key(moment));

/** The ends of a moment: those that a user gave it, else the model's. */
export const endsOf = (moment) => (moment.said?.verdict === "span" ? moment.said : moment);

export const has = (moment) => place(moment) >= 0;

/** Selects a moment with its ends, or takes it out of the selection. */
export function toggle(moment) {
  const at = place(moment);
  if (at >= 0) picked.splice(at, 1);
  else picked.push(entry(moment));
  say(at >= 0 ? "Not selected any more" : "Selected");
  show();
  changed(moment);
}

/** Takes the ends that a selected moment has now. */
export function follow(moment) {
  const at = place(moment);
  if (at < 0) return;
  picked[at] = entry(moment);
  show();
}

function entry(moment) {
  const { video, query, score } = moment;
  const { start_s, end_s } = endsOf(moment);
  return { key: key(moment), name: video.name, video: video.id, query, score, start_s, end_s };
}

function show() {
  kept.picks.set(picked);
  $("picks").hidden = !picked.length;
  document.body.classList.toggle("picking", picked.length > 0);
  const videos = new Set(picked.map((own) => own.video)).size;
  const length_s = picked.reduce((sum, own) => sum + own.end_s - own.start_s, 0);
  $("picked").textContent = `${plural(picked.length, "moment")} of ${plural(videos, "video")}, ${clock(length_s)}`;
  $("picked-list").firstElementChild.replaceChildren(
    ...picked.map((own) => {
      const text = `${own.name}, ${clock(own.start_s)} to ${clock(own.end_s)}: ${own.query}`;
      const drop = button("Remove", `Take out ${text}`, () => drops(own));
      return el("li", { className: "bar" }, el("span", { textContent: text }), drop);
    }),
  );
}

function drops(own) {
  picked = picked.filter((other) => other !== own);
  show();
  changed(null);
}

function exported() {
  const format = $("format").value;
  const moments = picked.map(({ video, query, score, start_s, end_s }) => ({ video, query, score, start_s, end_s }));
  return save("export", format === "mp4" ? "Encoding…" : "Writing…", () => api.exported(format, moments));
}
