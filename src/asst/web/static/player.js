// The picture: plays a video from a moment, or the moment's clip where the browser cannot play the file.

import { clipUrl, video as asked } from "./api.js";
import { $ } from "./dom.js";

let span = null;
// What the player's time lacks to be the video's: a file's own clock may be ahead of its first picture.
let offset_s = 0;
let clip = false;
let until_s = null;
let shown = null;

const player = () => $("player");

/** Where in the file an instant is; just after it, as browsers round down to the frame before. */
const placeOf = (at_s) => Math.max(0, at_s - offset_s) + 0.001;

/** Shows a video at a moment. */
export async function show(video, moment) {
  const same = shown?.id === video.id && !clip;
  shown = video;
  setSpan(moment);
  until_s = null;
  $("instead").hidden = true;
  if (!video.playable) {
    showClip();
    return;
  }
  if (same) {
    seek(moment.start_s);
    return;
  }
  clip = false;
  // A file that cannot be read cannot be played, and the clip is tried.
  const { start_s } = await asked(video.id).catch(() => ({ start_s: 0 }));
  if (shown !== video) return;
  offset_s = -start_s;
  player().src = `${video.media}#t=${placeOf(span.start_s).toFixed(6)}`;
}

/** What playing the moment plays. */
export function setSpan(moment) {
  span = { start_s: moment.start_s, end_s: moment.end_s };
}

/** Plays the moment from its start to its end. */
export async function playMoment() {
  if (!span) return;
  if (clip && (span.start_s < offset_s || span.end_s > offset_s + player().duration)) showClip();
  player().currentTime = placeOf(span.start_s);
  until_s = span.end_s;
  await player().play().catch(() => {});
}

export function toggle() {
  until_s = null;
  if (player().paused) player().play().catch(() => {});
  else player().pause();
}

export function seek(at_s) {
  until_s = null;
  player().currentTime = placeOf(at_s);
}

export function clear() {
  shown = null;
  player().pause();
  player().removeAttribute("src");
  player().load();
}

/** Calls `told(seconds)` whenever the picture moves. */
export function watch(told) {
  const look = () => {
    const at_s = Math.max(0, player().currentTime + offset_s);
    if (until_s !== null && at_s >= until_s - 0.02) {
      if ($("loop").checked) player().currentTime = placeOf(span.start_s);
      else {
        player().pause();
        until_s = null;
      }
    }
    told(at_s);
  };
  const often = () => {
    look();
    if (!player().paused) requestAnimationFrame(often);
  };
  player().addEventListener("play", often);
  player().addEventListener("timeupdate", look);
  player().addEventListener("seeked", look);
  player().addEventListener("error", () => {
    if (shown && !clip && player().getAttribute("src")) showClip();
  });
}

function showClip() {
  clip = true;
  offset_s = span.start_s;
  $("instead").textContent = `This browser may not play ${shown.name} itself; this is the moment, encoded anew.`;
  $("instead").hidden = false;
  player().src = clipUrl(shown.id, span, false);
}
