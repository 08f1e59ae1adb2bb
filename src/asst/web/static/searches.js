// Searches that were asked before: links, those that were saved first.

import { $, button, el } from "./dom.js";
import * as kept from "./kept.js";

/** Shows them on the page of the library, and nothing while something is asked. */
export function show(asking) {
  const known = asking ? [] : kept.searches();
  $("searches").hidden = !known.length;
  $("searches").replaceChildren(...known.map(({ address, saved }) => chip(address, saved)));
}

/** Shows whether the search of an address is saved. */
export function showSaved(address) {
  const saved = kept.isSaved(address);
  $("save").hidden = !address;
  $("save").setAttribute("aria-pressed", saved);
  $("save").textContent = saved ? "Saved" : "Save search";
}

function chip(address, saved) {
  const given = new URLSearchParams(address);
  const text = [given.get("q"), given.get("f"), given.has("in") ? "one video" : ""].filter(Boolean).join(" · ");
  const link = el("a", { href: `/?${address}`, textContent: saved ? `★ ${text}` : text, title: saved ? "Saved" : "Asked before" });
  const drop = button("×", `Forget the search ${text}`, () => {
    kept.forget(address);
    show(false);
  });
  return el("span", { className: saved ? "chip saved" : "chip" }, link, drop);
}
