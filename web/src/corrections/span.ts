/** The milliseconds of a moment that somebody typed, as `1:05`, `1:02:05` or `65`; undefined where it is none. */
export function momentMs(typed: string): number | undefined {
  const found = /^(?:(?:(\d{1,2}):)?(\d{1,3}):)?(\d{1,5}(?:\.\d{1,3})?)$/u.exec(typed.trim());
  if (!found) return undefined;
  const [, hours = "0", minutes = "0", seconds = "0"] = found;
  return Math.round(((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000);
}
