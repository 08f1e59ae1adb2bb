// The page: what is asked, what is open, and the address that says both.

import * as access from "./access.js";
import * as api from "./api.js";
import { length } from "./clock.js";
import { $, el, onPress, plural, say, showFault } from "./dom.js";
import * as editor from "./editor.js";
import * as kept from "./kept.js";
import * as keyboard from "./keyboard.js";
import * as picks from "./picks.js";
import * as player from "./player.js";
import * as results from "./results.js";
import { setScale } from "./score.js";
import * as searches from "./searches.js";
import * as timeline from "./timeline.js";
import * as uploads from "./uploads.js";
import * as words from "./words.js";

const PAGE = 60;
const FOUND = 60;
const MOST = 200;
const TYPED_MS = 300;
const NEAR_S = 0.02;
const SORTS = {
  library: { name: "By name", newest: "Newest first", longest: "Longest first" },
  found: { best: "Best first", time: "By file and time" },
};

// What is asked (query, filter, sort, only), what was answered, and what is open of it.
const state = { query: "", filter: "", sort: "", only: null, answer: null, top: FOUND, weaker: false, listed: 0, video: null, moment: null };
let asking = null;

async function showLibrary(more = false) {
  const signal = asking?.signal;
  state.answer = null;
  if (!more) state.listed = 0;
  const { total, hours, videos } = await api.videos({ offset: state.listed, limit: PAGE, name: state.filter, sort: state.sort });
  // Something else was asked meanwhile, and may be answered.
  if (signal?.aborted) return;
  state.listed += videos.length;
  $("heading").textContent = "Your videos";
  results.showVideos(videos, { open: (video) => openMoment(null, video).catch(showFault), remove }, more);
  $("more").hidden = state.listed >= total;
  $("weaker").hidden = true;
  const none = state.filter ? "No video has this in its name." : "This library is empty. Drop videos anywhere on this page, or press Add videos.";
  $("note").textContent = total ? `${plural(total, "video")}, ${length(hours * 3600)}` : none;
}

/** Asks what the state says; `push` makes a new place in the browser's history. */
async function ask(push = true) {
  showFault(null);
  asking?.abort();
  asking = new AbortController();
  const { signal } = asking;
  showControls();
  if (push) remember(true);
  document.body.classList.add("asking");
  try {
    if (state.query) await askMoments(signal);
    else await showLibrary();
    if (signal.aborted) return;
    if (push && state.query) kept.asked(searchAddress());
    searches.show(Boolean(state.query));
  } catch (fault) {
    if (signal.aborted) return;
    showFault(fault);
    // What was found for something else is no answer.
    state.answer = null;
    results.showMoments([], {}, openFound);
    for (const id of ["weaker", "more"]) $(id).hidden = true;
    $("note").textContent = "";
  } finally {
    if (!signal.aborted) document.body.classList.remove("asking");
  }
}

async function askMoments(signal) {
  $("note").textContent = "Looking…";
  say("Looking");
  const { query, filter, only, top } = state;
  const answer = await api.search({ query, top, name: filter, video: only?.id ?? null }, signal);
  answer.moments.forEach((moment) => Object.assign(moment, { query }));
  state.answer = answer;
  state.weaker = false;
  setScale(answer.scale);
  $("heading").textContent = only ? `Moments of ${only.name}` : "Moments";
  showMoments();
  if (answer.faults.length) showFault(new Error(answer.faults.join("; ")));
}

/** The moments of an answer that are shown at first: those that are found, else the best as a guess. */
function firstOnes({ moments }) {
  const found = moments.filter((moment) => moment.found);
  return found.length ? found : moments.slice(0, 1);
}

function shownMoments() {
  return state.weaker ? state.answer.moments : firstOnes(state.answer);
}

function showMoments() {
  const { answer, sort, weaker, top } = state;
  const folded = answer.moments.length - firstOnes(answer).length;
  results.showMoments([...shownMoments()], { sort, guess: !answer.found && !weaker }, openFound);
  results.mark(state.moment);
  $("weaker").hidden = !folded;
  $("weaker").textContent = weaker ? "Hide weaker" : `Show ${folded} weaker`;
  $("weaker").setAttribute("aria-expanded", weaker);
  // More of what is folded would not be seen.
  $("more").hidden = answer.moments.length < top || top >= MOST || (folded && !weaker);
  $("note").textContent = inWords(answer, folded);
  say($("note").textContent);
}

function inWords(answer, folded) {
  const count = answer.found ? answer.moments.length - folded : 0;
  const lost = answer.understood ? "" : " No word of this is understood, so what is found is a guess; describe it in English.";
  if (count) return `${count} found${folded ? `, ${folded} weaker` : ""}${lost ? `.${lost}` : ""}`;
  const best = answer.best_score === null ? "" : ` The best score is ${answer.best_score.toFixed(2)}`;
  const least = answer.threshold === null || !best ? "" : `, and from ${answer.threshold.toFixed(2)} on it counts`;
  return `Nothing found.${best}${least}${best ? "." : ""}${answer.moments.length ? " Below is the best guess." : ""}${lost}`;
}

/** Opens a moment, or a video at a span or whole. */
async function openMoment(moment, video, { span = null, push = true } = {}) {
  const fresh = state.video?.id !== video.id;
  Object.assign(state, { video, moment });
  document.body.classList.add("open");
  $("detail").hidden = false;
  $("title").textContent = video.name;
  $("title").title = video.name;
  $("only").hidden = state.only?.id === video.id;
  results.mark(moment);
  showPlace();
  if (fresh) showNoWords();
  const others = (state.answer ? shownMoments() : []).filter((own) => own.video.id === video.id && own !== moment);
  const { curves = {}, threshold = null } = state.answer ?? {};
  // While something else is asked, the moments of before can still be opened.
  const query = moment?.query ?? state.query;
  const whole = span ?? { start_s: 0, end_s: video.duration_s };
  editor.show({ video, moment, others, query, curve: curves[video.id] ?? null, threshold, span: whole });
  if (push) remember(true);
  if (matchMedia("(max-width: 860px)").matches) window.scrollTo(0, 0);
  player.show(video, editor.span()).catch(showFault);
  if (query) await lookAtWords(video, query, curves[video.id]);
}

const openFound = (moment) => openMoment(moment, moment.video).catch(showFault);

// The words are the same for all moments of a video.
let looked = "";

function showNoWords() {
  looked = "";
  words.show(null);
}

async function lookAtWords(video, query, curve) {
  if (looked === `${video.id} ${query}`) return;
  showNoWords();
  looked = `${video.id} ${query}`;
  const answer = await api.locate(video.id, query);
  if (state.video?.id !== video.id || (state.moment?.query ?? state.query) !== query) return;
  if (!curve) {
    setScale(answer.scale);
    editor.learn(answer.curve, answer.threshold);
  }
  words.show(answer.attention, timeline.overlay);
}

function showPlace() {
  $("place").textContent = results.placeOf(state.moment);
  for (const [id, by] of [["previous", -1], ["next", 1]]) {
    $(id).hidden = !results.placeOf(state.moment);
    $(id).disabled = !results.beside(state.moment, by);
  }
}

function openBeside(by) {
  const moment = results.beside(state.moment, by);
  if (moment) return openFound(moment);
}

function close() {
  if (!state.video) return;
  editor.close();
  player.clear();
  Object.assign(state, { video: null, moment: null });
  document.body.classList.remove("open");
  $("detail").hidden = true;
  const current = document.querySelector(".card[aria-current]");
  results.mark(null);
  (current ?? $("query")).focus();
  remember(true);
}

async function remove(video) {
  $("confirm-title").textContent = `Remove ${video.name} from the library?`;
  $("confirm-text").textContent = video.uploaded
    ? "It was added through this page, so the file is deleted too."
    : "The file itself stays where it is. What you said of its moments is kept.";
  $("confirm").returnValue = "";
  $("confirm").showModal();
  await new Promise((resolve) => $("confirm").addEventListener("close", resolve, { once: true }));
  if ($("confirm").returnValue !== "yes") return;
  try {
    await api.remove(video.id);
    if (state.video?.id === video.id) close();
    if (state.only?.id === video.id) state.only = null;
    await ask(false);
    say("Removed");
  } catch (fault) {
    showFault(fault);
  }
}

function showControls() {
  const { query, filter, only } = state;
  const sorts = SORTS[query ? "found" : "library"];
  if (!(state.sort in sorts)) state.sort = Object.keys(sorts)[0];
  $("sort").replaceChildren(...Object.entries(sorts).map(([value, text]) => el("option", { value, textContent: text })));
  $("sort").value = state.sort;
  $("query").value = query;
  document.title = query ? `${query}: asst` : "asst: find a moment";
  if ($("filter").value.trim() !== filter) $("filter").value = filter;
  $("scope").hidden = !only;
  $("scope").textContent = only ? `in ${only.name} ×` : "";
  if (only) $("scope").setAttribute("aria-label", `Only in ${only.name}; press to search all videos`);
  searches.showSaved(searchAddress());
}

/** The address of what is asked, without what is open; empty where nothing is. */
function searchAddress() {
  const address = new URLSearchParams();
  if (!state.query) return "";
  address.set("q", state.query);
  if (state.filter) address.set("f", state.filter);
  if (state.only) address.set("in", state.only.id);
  return String(address);
}

/** Puts what is asked and open into the address; `push` for a new place in the history. */
function remember(push) {
  const address = new URLSearchParams(searchAddress());
  if (!state.query && state.filter) address.set("f", state.filter);
  if (state.sort && !Object.values(SORTS).some((sorts) => Object.keys(sorts)[0] === state.sort)) address.set("s", state.sort);
  const span = editor.span();
  if (state.video) address.set("v", state.video.id);
  if (state.video && span) address.set("t", `${span.start_s.toFixed(3)}-${span.end_s.toFixed(3)}`);
  const path = address.size ? `/?${address}` : "/";
  if (path !== location.pathname + location.search) history[push ? "pushState" : "replaceState"](null, "", path);
}

/** Shows what the address says. */
async function restore() {
  const address = new URLSearchParams(location.search);
  const lost = [];
  const known = (key) =>
    address.get(key) ? api.video(address.get(key)).catch((fault) => lost.push(fault) && null) : null;
  const [only, video] = await Promise.all([known("in"), known("v")]);
  const [start_s, end_s] = (address.get("t") ?? "").split("-").map(Number);
  const named = (key) => (address.get(key) ?? "").trim();
  Object.assign(state, { query: named("q"), filter: named("f"), sort: named("s"), only, top: FOUND });
  if (!video && state.video) close();
  await ask(false);
  if (video) {
    const inside = end_s > start_s && start_s < video.duration_s;
    const span = inside ? { start_s, end_s: Math.min(end_s, video.duration_s) } : null;
    const moment = span && shownOf(video, span);
    await openMoment(moment ?? null, moment?.video ?? video, { span, push: false });
  }
  if (lost.length) {
    showFault(new Error(`The link leads to a video that is not here: ${lost[0].message}`));
    remember(false);
  }
}

/** The moment of a video with these ends, its own or those that a user gave it; weaker ones are unfolded for it. */
function shownOf(video, span) {
  const near = (own) => Math.abs(own.start_s - span.start_s) < NEAR_S && Math.abs(own.end_s - span.end_s) < NEAR_S;
  const found = state.answer?.moments.find((own) => own.video.id === video.id && (near(picks.endsOf(own)) || near(own)));
  if (found && !shownMoments().includes(found)) unfold();
  return found;
}

function unfold() {
  state.weaker = !state.weaker;
  showMoments();
  showPlace();
}

function wire() {
  $("search").addEventListener("submit", (event) => {
    event.preventDefault();
    askFor({ query: $("query").value.trim() }).catch(showFault);
  });
  $("query").addEventListener("search", () => {
    if (!$("query").value && state.query) askFor({ query: "" }).catch(showFault);
  });
  let typing = 0;
  $("filter").addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(() => askFor({ filter: $("filter").value.trim() }).catch(showFault), TYPED_MS);
  });
  $("sort").addEventListener("change", () => {
    state.sort = $("sort").value;
    remember(false);
    if (state.answer) showMoments();
    else ask(false);
  });
  onPress("scope", () => askFor({ only: null }));
  onPress("only", () => {
    $("only").hidden = true;
    $("query").focus();
    return askFor({ only: state.video });
  });
  onPress("save", () => {
    kept.toggle(searchAddress());
    searches.showSaved(searchAddress());
  });
  onPress("weaker", unfold);
  onPress("more", async () => {
    if (!state.query) return showLibrary(true);
    state.top = MOST;
    await ask(false);
    await reopen();
  });
  onPress("close", close);
  onPress("previous", () => openBeside(-1));
  onPress("next", () => openBeside(1));
  onPress("remove", () => remove(state.video));
  onPress("keys", () => $("help").showModal());
  // A card that was pressed with a key leads to the ends of its moment.
  $("cards").addEventListener("click", (event) => {
    if (!event.detail && event.target.closest(".moment .card")) timeline.focus("start");
  });
  window.addEventListener("popstate", () => restore().catch(showFault));
}

async function askFor(given) {
  Object.assign(state, given, { top: FOUND });
  if (state.video && "query" in given) close();
  await ask();
  await reopen();
}

/** After another answer: the open moment as it stands there, if it does. */
async function reopen() {
  if (!state.video || !state.answer) return;
  state.moment = shownOf(state.video, editor.span()) ?? null;
  if (state.moment) await openMoment(state.moment, state.video, { push: false });
  showPlace();
}

const keys = {
  " ": player.toggle,
  m: player.playMoment,
  j: () => player.shuttle(-1),
  k: () => player.shuttle(0),
  l: () => player.shuttle(1),
  ArrowLeft: ({ shiftKey }) => (shiftKey ? player.seek(player.now() - 1) : player.stepFrames(-1)),
  ArrowRight: ({ shiftKey }) => (shiftKey ? player.seek(player.now() + 1) : player.stepFrames(1)),
  i: editor.setIn,
  o: editor.setOut,
  "[": () => timeline.focus("start"),
  "]": () => timeline.focus("end"),
  "+": () => timeline.zoom(2),
  "=": () => timeline.zoom(2),
  "-": () => timeline.zoom(0.5),
  r: () => editor.judge("right"),
  w: () => editor.judge("wrong"),
  u: editor.undo,
  c: () => $("clip").click(),
};

function pickKey() {
  const moment = results.focused();
  if (moment) picks.toggle(moment);
  else if (state.video) editor.pick();
}

access.start();
wire();
player.start(timeline.playing);
editor.start({ open: openFound, moved: () => remember(false) });
picks.start((moment) => {
  if (moment) results.update(moment);
  else if (state.answer) showMoments();
  editor.selected();
});
keyboard.start({ open: keys, close, pick: pickKey, isOpen: () => Boolean(state.video) });
uploads.start(() => {
  if (!state.query) showLibrary().catch(showFault);
});
restore().catch(showFault);
