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

/** The request for the meetings of a filter. Days are those of this browser's zone. */
export function requestOf(filter: MeetingFilter): ListMeetingsRequest {
  const request: ListMeetingsRequest = { sort: filter.sort };
  if (filter.search) request.search = filter.search;
  if (filter.person) request.person = filter.person;
  const status = STATUSES[filter.status as keyof typeof STATUSES];
  if (status) request.status = status;
  const from = startOfDay(filter.from);
  const to = startOfDay(filter.to, 1);
  if (from) request.from_time = from;
  if (to) request.to_time = to;
  return request;
}

/** The first moment of a day, or of one `later` days after it, in UTC; undefined for no day. */
function startOfDay(day: string, later = 0): string | undefined {
  const [year, month, date] = /^(\d{4})-(\d\d)-(\d\d)$/.exec(day)?.slice(1).map(Number) ?? [];
  if (year === undefined || month === undefined || date === undefined) return undefined;
  const moment = new Date(year, month - 1, date + later);
  moment.setFullYear(year < 100 ? year : moment.getFullYear());
  return Number.isNaN(moment.getTime()) ? undefined : moment.toISOString().replace(/\.\d+Z$/, "Z");
}
