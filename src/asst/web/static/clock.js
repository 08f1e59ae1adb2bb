// Times as people read and type them. Halves are rounded up, everywhere.

/** Seconds as a clock, to a tenth: 0:12.4, 1:02:03.2. */
export const clock = (seconds) => written(seconds, 1);

/** Seconds as a clock, to a millisecond: 0:12.400. */
export const exact = (seconds) => written(seconds, 3);

function written(seconds, digits) {
  const scale = 10 ** digits;
  // A hair more, as 1.15 s is stored as a little less than that.
  const parts = Math.floor(seconds * scale + 0.5 + 1e-6);
  const whole = Math.floor(parts / scale);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60)];
  const tail = `${two(whole % 60)}.${String(parts % scale).padStart(digits, "0")}`;
  return hours ? `${hours}:${two(minutes)}:${tail}` : `${minutes}:${tail}`;
}

const two = (number) => String(number).padStart(2, "0");

/** The seconds of 12.4, 1:02.5, 1:02:03.25, or a time code 00:01:02:12; null for what is no time. */
export function read(text, rate) {
  const fields = text.trim().replace(",", ".").split(/[:;]/);
  if (fields.length > 4 || !fields.every((field) => /^\d+(\.\d*)?$/.test(field))) return null;
  const frames = fields.length === 4 ? Number(fields.pop()) : null;
  const seconds = fields.reduce((sum, field) => sum * 60 + Number(field), 0);
  if (frames === null) return seconds;
  // At 30000/1001 and the like a time code counts 30, and after a semicolon leaves out two a minute, but each tenth.
  const whole = Math.round(rate);
  const slow = Math.abs(whole / rate - 1.001) < 1e-4;
  const minutes = slow && whole % 30 === 0 && text.includes(";") ? Math.floor(seconds / 60) : 0;
  const dropped = (minutes - Math.floor(minutes / 10)) * (whole / 15);
  return frames < Math.ceil(rate) ? (seconds * (slow ? whole : rate) + frames - dropped) / rate : null;
}

/** A length in words: 8 s, 3 min, 1.5 h. */
export function length(seconds) {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}
