import type { ListMeetingsRequest } from "meetra-client";

/** What the list shows, as the address of the page has it; empty texts select nothing. */
export interface MeetingFilter {
  readonly search: string;
  readonly person: string;
  readonly status: string;
  /** A day, as `2026-11-23`. */
  readonly from: string;
  /** The last day, likewise. */
  readonly to: string;
  readonly sort: string;
}

const FIELDS = ["search", "person", "status", "from", "to", "sort"] as const;
export const NEWEST_FIRST = "-created_at";
const LAST_DAY = "9999-12-31";
/** Choices of a status, and the states that each stands for. */
export const STATUSES = { progress: "receiving,queued,processing", ready: "ready", failed: "failed" } as const;

/** The filter in an address. */
export function filterOf(query: URLSearchParams): MeetingFilter {
  const found = Object.fromEntries(FIELDS.map((name) => [name, query.get(name) ?? ""]));
  return { ...(found as unknown as MeetingFilter), sort: query.get("sort") || NEWEST_FIRST };
}

/** What of a filter its address says: nothing of what is as it is by default. */
export function queryOf(filter: MeetingFilter): Record<string, string> {
  return Object.fromEntries(
    FIELDS.map((name) => [name, filter[name]] as const).filter(([name, value]) => value && !(name === "sort" && value === NEWEST_FIRST)),
  );
}

/** Whether a filter leaves meetings out. */
export function isSelective(filter: MeetingFilter): boolean {
  return FIELDS.some((name) => name !== "sort" && filter[name] !== "");
}

/**
 * The request for the meetings of a filter. A day is that of this browser's zone, and that of UTC as well: meetings whose
 * date has no time count from its beginning there.
 */
export function requestOf(filter: MeetingFilter): ListMeetingsRequest {
  const request: ListMeetingsRequest = { sort: filter.sort };
  if (filter.search) request.search = filter.search;
  if (filter.person) request.person = filter.person;
  const status = STATUSES[filter.status as keyof typeof STATUSES];
  if (status) request.status = status;
  const first = beginnings(filter.from);
  // The day after the last one that the server reads ends nothing.
  const last = filter.to === LAST_DAY ? undefined : beginnings(filter.to, 1);
  if (first) request.from_time = momentOf(Math.min(...first));
  if (last) request.to_time = momentOf(Math.max(...last));
  return request;
}

/** When a day begins, or the one `later` days after it: here and in UTC, as numbers of Date; undefined for no day. */
function beginnings(day: string, later = 0): readonly [number, number] | undefined {
  const [year, month, date] = /^(\d{4})-(\d\d)-(\d\d)$/.exec(day)?.slice(1).map(Number) ?? [];
  // Years before 100 are those of the last century to Date; no meeting was held then.
  if (year === undefined || month === undefined || date === undefined || year < 100) return undefined;
  return [new Date(year, month - 1, date + later).getTime(), Date.UTC(year, month - 1, date + later)];
}

function momentOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace(/\.\d+Z$/, "Z");
}
