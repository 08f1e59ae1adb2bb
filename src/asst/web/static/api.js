// The server's JSON; what it refuses is thrown with the server's own words.

export class Refused extends Error {}

let entering = null;

/** Sets what is done where the server asks for its token: a function that ends when there is one. */
export function onLocked(enter) {
  entering = enter;
}

async function answered(path, options = {}) {
  let answer;
  try {
    answer = await fetch(path, options);
  } catch (fault) {
    if (fault.name === "AbortError") throw fault;
    throw new Refused("the server does not answer; is asst serve still running?");
  }
  if (answer.status === 401 && entering && path !== "/api/access") {
    await entering();
    return answered(path, options);
  }
  if (!answer.ok) {
    const body = await answer.json().catch(() => null);
    throw Object.assign(new Refused(body?.error?.message ?? `the server answered ${answer.status}`), { status: answer.status });
  }
  return answer;
}

async function asked(path, options) {
  const answer = await answered(path, options);
  return answer.status === 204 ? null : answer.json();
}

const posted = (body, signal) => ({
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify(body),
  signal,
});

const known = new Map();

/** A video with its clock and rate; asked for once. */
export async function video(id) {
  if (!known.has(id)) known.set(id, await asked(`/api/videos/${id}`));
  return known.get(id);
}

export const videos = (given) => asked(`/api/videos?${new URLSearchParams(given)}`);
export const search = (body, signal) => asked("/api/search", posted({ ...body, curves: true }, signal));
export const locate = (id, query) => asked(`/api/videos/${id}/locate`, posted({ query, top: 1 }));
export const jobs = () => asked("/api/jobs");
export const cancel = (id) => asked(`/api/jobs/${id}`, { method: "DELETE" });
export const correct = (body) => asked("/api/corrections", posted(body));
export const enter = (token) => asked("/api/access", posted({ token }));

export async function remove(id) {
  await asked(`/api/videos/${id}`, { method: "DELETE" });
  known.delete(id);
}

/** Forgets a correction, which another tab may have forgotten already. */
export function forget(id) {
  return asked(`/api/corrections/${id}`, { method: "DELETE" }).catch((fault) => {
    if (fault.status !== 404) throw fault;
  });
}

/** A file that the server makes, and the name that it gives it: {blob, name}. */
async function file(path, options) {
  const answer = await answered(path, options);
  const name = answer.headers.get("Content-Disposition").split("filename*=UTF-8''").pop();
  return { blob: await answer.blob(), name: decodeURIComponent(name) };
}

export const exported = (format, moments) => file("/api/export", posted({ format, moments }));
export const clip = (id, span, fast) => file(clipUrl(id, span, fast));

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
