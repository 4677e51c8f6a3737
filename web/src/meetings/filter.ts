import type { ListMeetingsRequest } from "meetra-client";
import { momentsOf } from "../parts/days.js";
import type { Days } from "../parts/days.js";

/** What the list shows, as the address of the page has it; empty texts select nothing. */
export interface MeetingFilter extends Days {
  readonly search: string;
  readonly person: string;
  readonly status: string;
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

/** The request for the meetings of a filter; of its days it gives some more (`isOfDays`). */
export function requestOf(filter: MeetingFilter): ListMeetingsRequest {
  const request: ListMeetingsRequest = { sort: filter.sort, ...momentsOf(filter) };
  if (filter.search) request.search = filter.search;
  if (filter.person) request.person = filter.person;
  const status = STATUSES[filter.status as keyof typeof STATUSES];
  if (status) request.status = status;
  return request;
}
