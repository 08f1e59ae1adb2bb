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

// A time code, as the server tells of it: {first_frame, rate, drop_frame}. At 30000/1001 and the like it counts 30 a
// second; where numbers are dropped it leaves out two a minute, of 60 four, but each tenth.

/** A frame of the video, from zero on, as the time code says it: 10:00:04:06. */
export function code(frame, { first_frame, rate, drop_frame }) {
  const whole = Math.round(rate);
  const dropped = drop_frame ? whole / 15 : 0;
  const [minute, ten] = [60 * whole - dropped, 600 * whole - 9 * dropped];
  const number = first_frame + frame;
  const minutes = 9 * Math.floor(number / ten) + Math.max(0, Math.floor(((number % ten) - dropped) / minute));
  const counted = number + minutes * dropped;
  const seconds = Math.floor(counted / whole);
  const fields = [Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60, seconds % 60];
  return `${fields.map(two).join(":")}${drop_frame ? ";" : ":"}${two(counted % whole)}`;
}

/** The seconds of 12.4, 1:02.5, 1:02:03.25, or a time code, which may be before the video; null for what is no time. */
export function read(text, { first_frame, rate, drop_frame }) {
  const fields = text.trim().replace(",", ".").split(/[:;]/);
  if (fields.length > 4 || !fields.every((field) => /^\d+(\.\d*)?$/.test(field))) return null;
  const frames = fields.length === 4 ? Number(fields.pop()) : null;
  const seconds = fields.reduce((sum, field) => sum * 60 + Number(field), 0);
  if (frames === null) return seconds;
  const whole = Math.round(rate);
  const drops = drop_frame || (text.includes(";") && whole % 30 === 0 && whole !== rate);
  const minutes = drops ? Math.floor(seconds / 60) : 0;
  const dropped = (minutes - Math.floor(minutes / 10)) * (whole / 15);
  return frames < whole ? (seconds * whole + frames - dropped - first_frame) / rate : null;
}

/** A length in words: 8 s, 3 min, 1.5 h. */
export function length(seconds) {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}
