// What the user says of the open moment: right, wrong, or where it really is.

import * as api from "./api.js";
import { $, say, showFault } from "./dom.js";

let open = null;
let last = null;

/** The open moment: {video, query, span, proposed}; the marks show what was said of it. */
export async function show(given) {
  open = given;
  last = null;
  marks(null);
  const { corrections } = await api.corrections(given.video);
  if (open !== given) return;
  const said = corrections.find(
    (own) =>
      own.query === given.query &&
      (near(own, given.span) || (own.proposed && near(own.proposed, given.span))),
  );
  if (said) {
    last = said;
    marks(said);
  }
  return said;
}

const near = (a, b) => Math.abs(a.start_s - b.start_s) < 0.01 && Math.abs(a.end_s - b.end_s) < 0.01;

/** Keeps what the user says; `verdict` is right, wrong or span. */
export async function keep(verdict, span) {
  if (!open?.query) return;
  const { start_s, end_s } = span;
  const body = { video: open.video, query: open.query, verdict, start_s, end_s, proposed: open.proposed ?? null };
  try {
    last = await api.correct(body);
    marks(last);
    say(verdict === "span" ? "Saved the new ends" : `Saved as ${verdict}`);
    showFault(null);
  } catch (fault) {
    showFault(fault);
  }
}

/** Forgets what was said last of the open moment; returns the span that the model proposed. */
export async function undo() {
  if (!last) return null;
  try {
    await api.forget(last.id);
    say("Undone");
  } catch (fault) {
    showFault(fault);
    return null;
  }
  last = null;
  marks(null);
  return open.proposed;
}

function marks(said) {
  $("right").setAttribute("aria-pressed", said?.verdict === "right");
  $("wrong").setAttribute("aria-pressed", said?.verdict === "wrong");
  $("undo").hidden = !said;
  $("undo").textContent = said?.verdict === "span" ? "Undo new ends" : "Undo";
}
