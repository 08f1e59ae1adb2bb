// Making elements, and saying things.

export const $ = (id) => document.getElementById(id);

/** An element with properties, attributes (those with a dash, and role) and children. */
export function el(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key.includes("-") || key === "role") made.setAttribute(key, value);
    else made[key] = value;
  }
  made.append(...children);
  return made;
}

/** A button with a text, and another one for a screen reader. */
export function button(textContent, label, onclick, properties = {}) {
  return el("button", { type: "button", textContent, "aria-label": label, onclick, ...properties });
}

/** An element of SVG with attributes. */
export function svg(name, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** Tells a screen reader, and nobody else. */
export function say(text) {
  $("live").textContent = text;
}

/** Shows what went wrong, or that nothing does any more. */
export function showFault(fault) {
  if (fault?.name === "AbortError") return;
  $("fault").textContent = fault ? fault.message : "";
  $("fault").hidden = !fault;
}

/** Calls an act when an element is pressed; what goes wrong in it is shown. */
export function onPress(id, act) {
  $(id).addEventListener("click", async () => {
    try {
      await act();
    } catch (fault) {
      showFault(fault);
    }
  });
}

/** Saves a file, {blob, name}, that a button asks for; meanwhile the button says what is done, and cannot be pressed. */
export async function save(id, doing, asked) {
  const [button, text] = [$(id), $(id).textContent];
  const held = document.activeElement === button;
  button.disabled = true;
  button.textContent = doing;
  say(doing);
  showFault(null);
  try {
    const { blob, name } = await asked();
    const address = URL.createObjectURL(blob);
    el("a", { href: address, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(address), 60000);
    say("Saved");
  } finally {
    button.disabled = false;
    button.textContent = text;
    if (held) button.focus();
  }
}

export const plural = (count, thing) => `${count} ${thing}${count === 1 ? "" : "s"}`;
