/**
 * From which day to which meetings are shown, as `2026-11-23`, both included; empty, or no day: without a limit.
 *
 * The day of a meeting is the one that the page shows: its date as it was stated where that has no zone, else the day of
 * its moment in the zone of this browser.
 */
export interface Days {
  readonly from: string;
  readonly to: string;
}

/** Moments that no meeting of some days is outside of, as requests have them; the second is after the last. */
export interface Moments {
  readonly from_time?: string;
  readonly to_time?: string;
}

// After it the server knows no day.
const LAST_DAY = "9999-12-31";

/**
 * The moments to ask the server for. They hold the days of this browser's zone and those of UTC, where dates without a zone
 * are to the server: what is of neither is left out by `isOfDays`.
 */
export function momentsOf({ from, to }: Days): Moments {
  const first = beginnings(from);
  const last = to === LAST_DAY ? undefined : beginnings(to, 1);
  return {
    ...(first && { from_time: momentText(Math.min(...first)) }),
    ...(last && { to_time: momentText(Math.max(...last)) }),
  };
}

/**
 * Whether a meeting is of some days.
 *
 * @param stated its date, ISO 8601; empty or absent where there is none.
 * @param came when it was uploaded or began.
 */
export function isOfDays({ from, to }: Days, stated: string | undefined, came: string): boolean {
  const day = dayOf(stated || came);
  // A date that no browser reads, such as one of a week: the server has chosen.
  if (day === undefined) return true;
  return (!beginnings(from) || day >= from) && (!beginnings(to) || day <= to);
}

const CALENDAR = /^\d{4}-\d\d-\d\d/;
const ZONED = /[T ].*(?:Z|[+-]\d\d(?::?\d\d)?)$/i;

function dayOf(date: string): string | undefined {
  if (CALENDAR.test(date) && !ZONED.test(date)) return date.slice(0, 10);
  const moment = new Date(date);
  if (Number.isNaN(moment.getTime())) return undefined;
  const [year, month, day] = [moment.getFullYear(), moment.getMonth() + 1, moment.getDate()].map(String);
  return `${year?.padStart(4, "0")}-${month?.padStart(2, "0")}-${day?.padStart(2, "0")}`;
}

/** When a day begins, or the one `later` days after it: here and in UTC, as numbers of Date; undefined for no day. */
function beginnings(day: string, later = 0): readonly [number, number] | undefined {
  const [year, month, date] = /^(\d{4})-(\d\d)-(\d\d)$/.exec(day)?.slice(1).map(Number) ?? [];
  // Years before 100 are those of the last century to Date; no meeting was held then.
  if (year === undefined || month === undefined || date === undefined || year < 100) return undefined;
  return [new Date(year, month - 1, date + later).getTime(), Date.UTC(year, month - 1, date + later)];
}

function momentText(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace(/\.\d+Z$/, "Z");
}
