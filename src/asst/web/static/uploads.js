// Files on their way in: dropped or chosen, sent, indexed; each can be cancelled.

import * as api from "./api.js";
import { length } from "./clock.js";
import { $, button, el, onPress, say, showFault } from "./dom.js";

let added = () => {};

/** Takes files by button and by dropping them on the page; calls `done()` when a video is in the library. */
export function start(done) {
  added = done;
  onPress("add", () => $("files").click());
  $("files").addEventListener("change", () => {
    // A copy: the list empties itself when the field is emptied.
    take([...$("files").files]);
    $("files").value = "";
  });
  const holdsFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  window.addEventListener("dragover", (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    $("drop").hidden = false;
  });
  window.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) $("drop").hidden = true;
  });
  window.addEventListener("drop", (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    $("drop").hidden = true;
    take([...event.dataTransfer.files]);
  });
  const follows = ({ jobs }) => jobs.filter((job) => !ended(job)).forEach((job) => follow(job, row(job.name)));
  api.jobs().then(follows).catch(showFault);
}

const ended = (job) => ["done", "failed", "cancelled"].includes(job.state);

/** Sends files one after the other, all of them to be seen from the beginning. */
async function take(files) {
  const lines = files.map((file) => row(file.name));
  for (const [k, file] of files.entries()) {
    const line = lines[k];
    if (line.dropped) continue;
    const sending = api.upload(file, (sent, total) => line.tell("Sending", sent / total));
    line.stop(sending.stop);
    try {
      follow(await sending.done, line);
    } catch (fault) {
      line.end(fault.message, true);
    }
  }
}

function follow(job, line) {
  line.stop(() => api.cancel(job.id).catch((fault) => line.end(fault.message, true)));
  const events = new EventSource(`/api/jobs/${job.id}/events`);
  events.addEventListener("job", (event) => {
    const now = JSON.parse(event.data);
    if (!ended(now)) {
      const waits = now.state === "waiting";
      line.tell(waits ? "Waiting" : "Indexing", waits ? 0 : now.done_s / (now.total_s || 1), now.left_s);
      return;
    }
    events.close();
    line.end(now.message, now.state === "failed");
    if (now.state === "done") added();
  });
  events.onerror = () => {
    if (events.readyState === EventSource.CLOSED) line.end("the server does not answer", true);
  };
}

function row(name) {
  const state = el("span", { className: "state", textContent: "Waiting" });
  const bar = el("progress", { max: 1, value: 0, "aria-label": name });
  const press = button("Cancel", `Cancel ${name}`, null);
  const line = el("div", { className: "job" }, el("span", { className: "name", textContent: name }), bar, state, press);
  $("jobs").append(line);
  $("jobs").hidden = false;
  const drop = () => {
    made.dropped = true;
    line.remove();
    $("jobs").hidden = !$("jobs").children.length;
  };
  const made = {
    dropped: false,
    tell(text, share, left_s = null) {
      if (!state.textContent.startsWith(text)) say(`${name}: ${text}`);
      const left = left_s === null ? "" : `, ${length(Math.max(1, left_s))} left`;
      state.textContent = share ? `${text} ${Math.round(100 * share)} %${left}` : text;
      bar.value = share;
    },
    stop(act) {
      press.onclick = act;
    },
    end(text, failed) {
      say(`${name}: ${text}`);
      state.textContent = text;
      bar.remove();
      line.classList.toggle("failed", failed);
      press.textContent = "Dismiss";
      press.setAttribute("aria-label", `Dismiss ${name}`);
      press.onclick = drop;
      if (!failed) setTimeout(drop, 6000);
    },
  };
  press.onclick = drop;
  return made;
}
