const DAY = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });
const DAY_AND_TIME = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

/** A date of a meeting for people: ISO 8601 as it was given, whatever of its forms that is. */
export function dateText(given: string): string {
  const [, day, time] = /^(\d{4}-\d\d-\d\d)(?:[T ](.+))?$/i.exec(given) ?? [];
  // Forms that this browser does not read (weeks, days of a year) stay as somebody wrote them.
  if (!day) return given;
  const moment = new Date(time ? `${day}T${time.toUpperCase()}` : `${day}T00:00`);
  if (Number.isNaN(moment.getTime())) return given;
  return (time ? DAY_AND_TIME : DAY).format(moment);
}

/** A moment of the server for people. */
export function momentText(iso: string): string {
  const moment = new Date(iso);
  return Number.isNaN(moment.getTime()) ? iso : DAY_AND_TIME.format(moment);
}

/** A length as `1:02:03` or `2:03`. */
export function lengthText(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const shown = parts[0] ? parts : parts.slice(1);
  return shown.map((part, index) => (index ? String(part).padStart(2, "0") : String(part))).join(":");
}
