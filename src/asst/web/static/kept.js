// What this browser remembers: searches for good, selected moments for as long as the tab is open.

const HISTORY = 12;

const shelf = (storage, name) => ({
  get() {
    try {
      return JSON.parse(storage.getItem(`asst.${name}`)) ?? [];
    } catch {
      return [];
    }
  },
  set(items) {
    storage.setItem(`asst.${name}`, JSON.stringify(items));
  },
});

export const picks = shelf(sessionStorage, "picks");
const recent = shelf(localStorage, "recent");
const saved = shelf(localStorage, "saved");

/** The addresses of searches: those that were saved, then those asked last. */
export function searches() {
  const own = saved.get();
  return [...own.map((address) => ({ address, saved: true })), ...recent.get().filter((a) => !own.includes(a)).map((address) => ({ address, saved: false }))];
}

/** Puts a search first among those asked last. */
export function asked(address) {
  recent.set([address, ...recent.get().filter((own) => own !== address)].slice(0, HISTORY));
}

export const isSaved = (address) => saved.get().includes(address);

/** Saves a search, or saves it no longer. */
export function toggle(address) {
  const others = saved.get().filter((own) => own !== address);
  saved.set(isSaved(address) ? others : [address, ...others]);
}

/** Forgets a search. */
export function forget(address) {
  for (const list of [recent, saved]) list.set(list.get().filter((own) => own !== address));
}
