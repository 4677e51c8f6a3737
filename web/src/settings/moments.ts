const MOMENT = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const MONTH = new Intl.DateTimeFormat(undefined, { year: "numeric", month: "long", timeZone: "UTC" });

/** A moment of the server for people. */
export function momentText(iso: string): string {
  const moment = new Date(iso);
  return Number.isNaN(moment.getTime()) ? iso : MOMENT.format(moment);
}

/** A month such as `2026-11` for people. */
export function monthText(month: string): string {
  const moment = new Date(`${month}-01T00:00:00Z`);
  return Number.isNaN(moment.getTime()) ? month : MONTH.format(moment);
}
