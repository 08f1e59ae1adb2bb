// The picture: plays a video from a moment, or the moment's clip where the browser cannot play the file.

import { clipUrl, video as asked } from "./api.js";
import { code, exact } from "./clock.js";
import { $, onPress } from "./dom.js";

const FASTEST = 8;
// Of a file that cannot be read.
const UNKNOWN = { start_s: 0, rate: null, time_code: { first_frame: 0, rate: 25, drop_frame: false } };
// As exports have it: a time so near to the end of a frame, in frames, is at it.
const ON_FRAME = 0.05;

let span = null;
// What the player's time lacks to be the video's: a file's own clock may be ahead of its first picture.
let offset_s = 0;
// Frames a second, null until the server has said it; and how timelines count them.
let rate = null;
let counted = UNKNOWN.time_code;
let asking = Promise.resolve();
let clip = false;
let until_s = null;
let shown = null;
let wanted = null;
// Times as fast as the video; backward below zero, as browsers play forward alone.
let speed = 0;

const player = () => $("player");

/** Where in the file an instant is; just after it, as browsers round down to the frame before. */
const placeOf = (at_s) => Math.max(0, at_s - offset_s) + 0.001;

export const now = () => Math.max(0, player().currentTime + offset_s);
export const frameRate = () => rate ?? 25;
export const timeCode = () => counted;

/** Fulfilled when the server has said the frame rate of the video that is shown. */
export const rated = () => asking;

/** The boundary between pictures that is nearest to an instant. */
export const snapped = (at_s) => (rate ? Math.round(at_s * rate) / rate : at_s);

/** The number of the picture that is shown, from zero on. */
export const frame = () => Math.floor(now() * frameRate() + 1e-3);

/** Shows a video at a moment. */
export async function show(video, moment) {
  const same = shown?.id === video.id && !clip;
  shown = video;
  setSpan(moment);
  stop();
  $("instead").hidden = true;
  if (same) {
    seek(moment.start_s);
    return;
  }
  rate = null;
  counted = UNKNOWN.time_code;
  showCodes();
  // A file that cannot be read cannot be played, and the clip is tried.
  asking = asked(video.id).catch(() => UNKNOWN);
  const known = await asking;
  if (shown?.id !== video.id) return;
  rate = known.rate;
  counted = known.time_code;
  showCodes();
  if (!video.playable) {
    showClip();
    return;
  }
  clip = false;
  offset_s = -known.start_s;
  player().src = `${video.media}#t=${placeOf(span.start_s).toFixed(6)}`;
}

/** What playing the moment plays. */
export function setSpan(moment) {
  span = { start_s: moment.start_s, end_s: moment.end_s };
  showCodes();
}

/** Shows the moment as a timeline has it, for a file that has its own time code. */
function showCodes() {
  const first = Math.floor(span.start_s * counted.rate + ON_FRAME);
  const after = Math.ceil(span.end_s * counted.rate - ON_FRAME);
  $("codes").textContent = counted.first_frame ? `${code(first, counted)} to ${code(after, counted)}` : "";
}

/** Shows the clip of the span that was set, where the video itself cannot be played. */
export function settled() {
  if (clip && (span.start_s < offset_s || span.end_s > offset_s + player().duration)) showClip();
}

/** Plays the moment from its start to its end. */
export async function playMoment() {
  if (!span) return;
  stop();
  settled();
  player().currentTime = placeOf(span.start_s);
  until_s = span.end_s;
  await player().play().catch(() => {});
}

export function toggle() {
  const still = player().paused && speed >= 0;
  stop();
  if (still) player().play().catch(() => {});
}

/** Plays forward (1) or backward (-1), twice as fast each time; 0 stops. */
export function shuttle(way) {
  const faster = Math.sign(speed) === way ? Math.min(FASTEST, Math.abs(speed) * 2) : 1;
  stop();
  speed = way * faster;
  $("speed").textContent = speed && speed !== 1 ? `${speed}×` : "";
  if (speed > 0) {
    player().playbackRate = speed;
    player().play().catch(() => {});
  } else if (speed < 0) {
    backward(performance.now(), now());
  }
}

function backward(begun_ms, from_s) {
  if (speed >= 0) return;
  const at_s = from_s + (speed * (performance.now() - begun_ms)) / 1000;
  jump(Math.max(0, at_s));
  if (at_s > 0) requestAnimationFrame(() => backward(begun_ms, from_s));
  else stop();
}

function stop() {
  until_s = null;
  wanted = null;
  speed = 0;
  $("speed").textContent = "";
  player().pause();
  player().playbackRate = 1;
}

/** Shows so many pictures on. */
export function stepFrames(by) {
  const next = Math.max(0, frame() + by);
  stop();
  jump((next + 0.5) / frameRate());
}

export function seek(at_s) {
  until_s = null;
  jump(at_s);
}

// While a picture is being fetched only the last wish is remembered.
function jump(at_s) {
  wanted = at_s;
  if (!player().seeking) arrive();
}

function arrive() {
  if (wanted === null) return;
  player().currentTime = placeOf(wanted);
  wanted = null;
}

export function clear() {
  stop();
  shown = null;
  player().removeAttribute("src");
  player().load();
}

/** Wires the controls, and calls `told(seconds)` whenever the picture moves. */
export function start(told) {
  const look = () => {
    const at_s = now();
    if (until_s !== null && at_s >= until_s - 0.02) {
      if ($("loop").checked) player().currentTime = placeOf(span.start_s);
      else stop();
    }
    $("now").textContent = exact(at_s);
    $("code").textContent = counted.first_frame ? code(Math.floor(at_s * counted.rate + 1e-3), counted) : "";
    told(at_s);
  };
  const often = () => {
    look();
    if (!player().paused) requestAnimationFrame(often);
  };
  const face = () => {
    const still = player().paused;
    $("toggle").setAttribute("aria-label", still ? "Play" : "Pause");
    $("toggle").querySelector("use").setAttribute("href", still ? "#i-play" : "#i-pause");
  };
  player().addEventListener("play", often);
  for (const event of ["play", "pause"]) player().addEventListener(event, face);
  for (const event of ["timeupdate", "seeked", "loadedmetadata"]) player().addEventListener(event, look);
  player().addEventListener("seeked", arrive);
  player().addEventListener("click", toggle);
  const failed = () => {
    if (shown && !clip && player().getAttribute("src")) showClip();
  };
  player().addEventListener("error", failed);
  // Where it knows the sound alone, a browser plays that.
  player().addEventListener("loadedmetadata", () => player().videoWidth || failed());
  document.addEventListener("fullscreenchange", () => {
    player().controls = document.fullscreenElement === player();
  });
  onPress("toggle", toggle);
  onPress("before", () => stepFrames(-1));
  onPress("after", () => stepFrames(1));
  onPress("play", playMoment);
  onPress("full", () => (player().requestFullscreen ?? player().webkitEnterFullscreen).call(player()));
  onPress("mute", () => {
    player().muted = !player().muted;
    $("mute").setAttribute("aria-pressed", !player().muted);
    $("mute").querySelector("use").setAttribute("href", player().muted ? "#i-silent" : "#i-sound");
  });
}

function showClip() {
  clip = true;
  offset_s = span.start_s;
  $("instead").textContent = `This browser may not play ${shown.name} itself; this is the moment, encoded anew.`;
  $("instead").hidden = false;
  player().src = clipUrl(shown.id, span, false);
}
