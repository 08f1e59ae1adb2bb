// The token of a server that other machines can reach, asked for when it is missing.

import * as api from "./api.js";
import { $ } from "./dom.js";

let waiting = null;
let entered = () => {};

/** Asks for the token wherever the server wants one. */
export function start() {
  api.onLocked(() => {
    waiting ??= new Promise((resolve) => {
      entered = resolve;
      $("access").showModal();
    });
    return waiting;
  });
  $("access").addEventListener("cancel", (event) => event.preventDefault());
  $("access").querySelector("form").addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      await api.enter($("token").value.trim());
    } catch (fault) {
      $("access-fault").textContent = fault.message;
      return;
    }
    $("access").close();
    waiting = null;
    entered();
  });
}
