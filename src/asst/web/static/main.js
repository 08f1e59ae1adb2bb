// The page: what is asked, what is open, and the address that says both.

import * as api from "./api.js";
import { mark, showMoments, showVideos } from "./cards.js";
import { clock, length } from "./clock.js";
import * as corrections from "./corrections.js";
import { $, el, say, showFault } from "./dom.js";
import * as keyboard from "./keyboard.js";
import * as player from "./player.js";
import * as timeline from "./timeline.js";
import * as uploads from "./uploads.js";
import * as words from "./words.js";

const PAGE = 60;

const state = { query: "", only: null, answer: null, chosen: 0, video: null, span: null, listed: 0 };
let asking = null;

async function showLibrary(more = false) {
  if (!more) state.listed = 0;
  const { total, videos } = await api.videos(state.listed, PAGE);
  state.listed += videos.length;
  $("heading").textContent = "Your videos";
  $("cards").classList.remove("guess");
  showVideos(videos, (video) => openVideo(video, null), more);
  $("more").hidden = state.listed >= total;
  const hours = (await api.status()).hours;
  $("note").textContent = total
    ? `${total} ${total === 1 ? "video" : "videos"}, ${length(hours * 3600)}`
    : "This library is empty. Drop videos anywhere on this page, or press Add videos.";
}

function begin() {
  asking?.abort();
  asking = new AbortController();
  document.body.classList.add("asking");
  return asking.signal;
}

async function ask(push = true) {
  showFault(null);
  const query = $("query").value.trim();
  state.query = query;
  if (push) remember();
  if (!query) {
    asking?.abort();
    document.body.classList.remove("asking");
    if (state.video) openVideo(state.video, null, false);
    await showLibrary();
    return;
  }
  const signal = begin();
  $("note").textContent = "Looking…";
  say("Looking");
  try {
    if (state.only) await askOne(query, signal);
    else await askAll(query, signal);
  } catch (fault) {
    $("note").textContent = "";
    showFault(fault);
  } finally {
    if (!signal.aborted) document.body.classList.remove("asking");
  }
}

async function askAll(query, signal) {
  const found = await api.search(query, signal);
  $("more").hidden = true;
  $("heading").textContent = "Found";
  showAnswer(found, found.moments, (moment) => moment.video);
  if (found.faults.length) showFault(new Error(found.faults.join("; ")));
}

async function askOne(query, signal) {
  const answer = await api.locate(state.only.id, query, signal);
  $("more").hidden = true;
  $("heading").textContent = `Found in ${state.only.name}`;
  const pictured = (m) => ({ ...m, video: answer.video, picture: api.pictureUrl(answer.video.id, (m.start_s + m.end_s) / 2) });
  showAnswer(answer, answer.moments.map(pictured), () => answer.video);
}

// What is not convincing is shown as one guess, less clearly.
function showAnswer(answer, moments, videoOf) {
  $("cards").classList.toggle("guess", !answer.found);
  showMoments(answer.found ? moments : moments.slice(0, 1), (moment, index) => {
    mark(index);
    openVideo(videoOf(moment), moment);
  });
  report(answer, answer.found ? moments.length : 0);
}

function report(found, count) {
  const best = found.best_score === null ? "" : ` The best score is ${found.best_score.toFixed(2)}`;
  const least = found.threshold === null || !best ? "" : `, and from ${found.threshold.toFixed(2)} on it counts`;
  const lost = found.understood ? "" : " No word of this is understood, so what is found is a guess; describe it in English.";
  const said = count ? `${count} ${count === 1 ? "moment" : "moments"}` : `Nothing found.${best}${least}.${found.moments.length ? " Below is the best guess." : ""}`;
  $("note").textContent = said + (lost && count ? "." : "") + lost;
  say($("note").textContent);
}

async function openVideo(video, moment, push = true) {
  const before = state.video;
  state.video = video;
  state.span = moment ? { start_s: moment.start_s, end_s: moment.end_s } : null;
  document.body.classList.add("open");
  $("detail").hidden = false;
  $("title").textContent = video.name;
  $("only").hidden = state.only?.id === video.id;
  if (push) remember();
  const showing = player.show(video, moment ?? { start_s: 0, end_s: video.duration_s });
  if (before?.id !== video.id) $("words").hidden = true;
  let answer = { duration_s: video.duration_s, curve: null, threshold: null, moments: [], attention: null };
  choose(answer, -1, state.span ?? { start_s: 0, end_s: video.duration_s });
  if (!state.query) return;
  try {
    answer = await api.locate(video.id, state.query);
  } catch (fault) {
    showFault(fault);
    return;
  }
  if (state.video !== video) return;
  const near = answer.moments.findIndex((m) => moment && Math.abs(m.start_s - moment.start_s) < 0.3);
  if (moment) choose(answer, near, state.span ?? moment);
  else if (answer.moments.length) {
    choose(answer, 0, answer.moments[0]);
    await showing;
    player.seek(answer.moments[0].start_s);
  }
  words.show(answer.attention, answer.duration_s, timeline.overlay);
  listSpans();
}

function choose(answer, index, span) {
  state.answer = answer;
  state.chosen = index;
  const moment = answer.moments[index];
  setSpan({ start_s: span.start_s, end_s: span.end_s });
  timeline.show(answer, state.span, index, { seek: player.seek, choose: pick, change: changed });
  const proposed = moment ?? (state.query && index < 0 && answer.curve ? { ...state.span, score: 0 } : null);
  const given = { video: state.video.id, query: state.query, span: { ...state.span }, proposed: clean(proposed) };
  corrections
    .show(given)
    .then((said) => {
      if (said?.verdict !== "span") return;
      setSpan({ start_s: said.start_s, end_s: said.end_s });
      timeline.show(answer, state.span, index, { seek: player.seek, choose: pick, change: changed });
    })
    .catch(showFault);
  for (const id of ["right", "wrong"]) $(id).disabled = !state.query;
}

const clean = (moment) => moment && { start_s: moment.start_s, end_s: moment.end_s, score: moment.score };

function pick(index) {
  choose(state.answer, index, state.answer.moments[index]);
  player.seek(state.span.start_s);
  listSpans();
}

function changed(span, final) {
  setSpan(span);
  if (final) corrections.keep("span", span);
}

function setSpan(span) {
  state.span = span;
  player.setSpan(span);
  const score = state.answer?.moments[state.chosen]?.score;
  const scored = score === undefined ? "" : `, score ${score.toFixed(2)}`;
  $("span").textContent = `${clock(span.start_s)} to ${clock(span.end_s)} (${(span.end_s - span.start_s).toFixed(1)} s)${scored}`;
  $("clip").href = api.clipUrl(state.video.id, span, $("fast").checked);
}

function listSpans() {
  const { answer, chosen } = state;
  $("spans").replaceChildren(
    ...answer.moments.map((m, index) => {
      const text = `${clock(m.start_s)} to ${clock(m.end_s)}, ${m.score.toFixed(2)}`;
      const made = el("button", { type: "button", textContent: text, onclick: () => pick(index) });
      if (index === chosen) made.setAttribute("aria-current", "true");
      return el("li", {}, made);
    }),
  );
}

function close() {
  if (!state.video) return;
  state.video = null;
  state.answer = null;
  document.body.classList.remove("open");
  $("detail").hidden = true;
  player.clear();
  const current = document.querySelector(".card[aria-current]");
  mark(-1);
  (current ?? $("query")).focus();
  remember();
}

function setOnly(video) {
  state.only = video;
  $("scope").hidden = !video;
  $("scope").textContent = video ? `in ${video.name} ×` : "";
  if (video) $("scope").setAttribute("aria-label", `Only in ${video.name}; press to search all videos`);
}

function remember() {
  const address = new URLSearchParams();
  if (state.query) address.set("q", state.query);
  if (state.only) address.set("in", state.only.id);
  if (state.video) address.set("v", state.video.id);
  if (state.video && state.span) address.set("t", `${state.span.start_s.toFixed(2)}-${state.span.end_s.toFixed(2)}`);
  const path = address.size ? `/?${address}` : "/";
  if (path !== location.pathname + location.search) history.pushState(null, "", path);
}

async function restore() {
  const address = new URLSearchParams(location.search);
  $("query").value = address.get("q") ?? "";
  const [only, open] = await Promise.all(
    ["in", "v"].map((key) => (address.get(key) ? api.video(address.get(key)).catch(() => null) : null)),
  );
  setOnly(only);
  const [start_s, end_s] = (address.get("t") ?? "").split("-").map(Number);
  state.query = $("query").value.trim();
  if (open) openVideo(open, end_s > start_s ? { start_s, end_s } : null, false);
  else if (state.video) close();
  await ask(false);
}

$("search").addEventListener("submit", (event) => {
  event.preventDefault();
  ask();
});
$("query").addEventListener("search", () => {
  if (!$("query").value && state.query) ask();
});
$("scope").addEventListener("click", () => {
  setOnly(null);
  ask();
});
$("only").addEventListener("click", () => {
  setOnly(state.video);
  $("only").hidden = true;
  $("query").focus();
  if (state.query) ask();
});
$("more").addEventListener("click", () => showLibrary(true).catch(showFault));
$("close").addEventListener("click", close);
$("play").addEventListener("click", player.playMoment);
$("fast").addEventListener("change", () => setSpan(state.span));
$("right").addEventListener("click", () => corrections.keep("right", state.span));
$("wrong").addEventListener("click", () => corrections.keep("wrong", state.span));
$("undo").addEventListener("click", async () => {
  const proposed = await corrections.undo();
  if (proposed) choose(state.answer, state.chosen, proposed);
  $("right").focus();
});
$("keys").addEventListener("click", () => $("help").showModal());
window.addEventListener("popstate", () => restore().catch(showFault));

player.watch(timeline.playing);
const ifOpen = (act) => () => state.video && act();
keyboard.start({
  play: ifOpen(player.toggle),
  moment: ifOpen(player.playMoment),
  clip: ifOpen(() => $("clip").click()),
  right: ifOpen(() => state.query && corrections.keep("right", state.span)),
  wrong: ifOpen(() => state.query && corrections.keep("wrong", state.span)),
  close,
});
uploads.start(() => {
  if (!state.query) showLibrary().catch(showFault);
});
restore().catch(showFault);
