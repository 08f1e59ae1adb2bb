// Times as people read them.

/** Seconds as a clock, to a tenth: 0:12.4, 1:02:03.2. */
export function clock(seconds) {
  const tenths = Math.round(seconds * 10);
  const hours = Math.floor(tenths / 36000);
  const rest = tenths % 36000;
  const minutes = Math.floor(rest / 600);
  const tail = `${String(Math.floor((rest % 600) / 10)).padStart(2, "0")}.${rest % 10}`;
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${tail}` : `${minutes}:${tail}`;
}

/** A length in words: 8 s, 3 min, 1.5 h. */
export function length(seconds) {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}
