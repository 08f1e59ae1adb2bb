// The server's JSON; what it refuses is thrown with the server's own words.

export class Refused extends Error {}

async function asked(path, options = {}) {
  let answer;
  try {
    answer = await fetch(path, options);
  } catch (fault) {
    if (fault.name === "AbortError") throw fault;
    throw new Refused("the server does not answer; is asst serve still running?");
  }
  if (answer.status === 204) return null;
  const body = await answer.json().catch(() => null);
  if (!answer.ok) throw new Refused(body?.error?.message ?? `the server answered ${answer.status}`);
  return body;
}

function sent(path, body, signal) {
  return asked(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
    signal,
  });
}

export const status = () => asked("/api/status");
export const videos = (offset, limit) => asked(`/api/videos?offset=${offset}&limit=${limit}`);
export const video = (id) => asked(`/api/videos/${id}`);
export const search = (query, signal) => sent("/api/search", { query, top: 30 }, signal);
export const locate = (id, query, signal) => sent(`/api/videos/${id}/locate`, { query, top: 5 }, signal);
export const jobs = () => asked("/api/jobs");
export const cancel = (id) => asked(`/api/jobs/${id}`, { method: "DELETE" });
export const corrections = (id) => asked(`/api/corrections?video=${id}`);
export const correct = (body) => sent("/api/corrections", body);
export const forget = (id) => asked(`/api/corrections/${id}`, { method: "DELETE" });

export function clipUrl(id, span, fast) {
  const ends = `start_s=${span.start_s.toFixed(6)}&end_s=${span.end_s.toFixed(6)}`;
  return `/api/videos/${id}/clip?${ends}${fast ? "&fast=true" : ""}`;
}

export const pictureUrl = (id, at_s) => `/api/videos/${id}/picture?at_s=${at_s.toFixed(2)}`;

/** Sends a file with progress; calls `told(sent, total)`. Returns {done: promise of the job, stop: function}. */
export function upload(file, told) {
  const request = new XMLHttpRequest();
  const done = new Promise((resolve, reject) => {
    request.upload.onprogress = (event) => told(event.loaded, event.total || file.size);
    request.onload = () => {
      let body = null;
      try {
        body = JSON.parse(request.responseText);
      } catch {
        reject(new Refused(`the server answered ${request.status}`));
        return;
      }
      if (request.status === 202) resolve(body.job);
      else reject(new Refused(body.error?.message ?? `the server answered ${request.status}`));
    };
    request.onerror = () => reject(new Refused(`${file.name}: the server broke off; it may be too large, or no video`));
    request.onabort = () => reject(new Refused(`${file.name}: cancelled`));
  });
  request.open("POST", `/api/uploads?name=${encodeURIComponent(file.name)}`);
  request.setRequestHeader("Content-Type", "application/octet-stream");
  request.send(file);
  return { done, stop: () => request.abort() };
}
