import { useEffect, useRef, useState } from "preact/hooks";
import { DayFields } from "../parts/day_fields.js";
import { text } from "../strings/meetings.js";
import { STATUSES } from "./filter.js";
import type { MeetingFilter } from "./filter.js";

/** How long somebody types no more before the list is asked for. */
const PAUSE_MS = 300;

/** Which meetings are listed, and in which order; `change` is told of each change. */
export function FilterForm({ filter, change }: { filter: MeetingFilter; change: (filter: MeetingFilter) => void }) {
  const set = (field: Partial<MeetingFilter>): void => change({ ...filter, ...field });
  return (
    <form class="meeting-filters" role="search" aria-label={text.filters.label} onSubmit={(event) => event.preventDefault()}>
      <Typed label={text.filters.search} hint={text.filters.searchHint} value={filter.search} set={(search) => set({ search })} />
      <Typed label={text.filters.person} value={filter.person} set={(person) => set({ person })} />
      <label>
        {text.filters.status}
        <select value={filter.status} onChange={(event) => set({ status: event.currentTarget.value })}>
          <option value="">{text.filters.anyStatus}</option>
          {Object.keys(STATUSES).map((status) => (
            <option key={status} value={status}>
              {STATUS_TEXT[status as keyof typeof STATUSES]}
            </option>
          ))}
        </select>
      </label>
      <DayFields days={filter} change={set} />
      <label>
        {text.filters.sort}
        <select value={filter.sort} onChange={(event) => set({ sort: event.currentTarget.value })}>
          {Object.entries(text.sorts).map(([sort, label]) => (
            <option key={sort} value={sort}>
              {label}
            </option>
          ))}
        </select>
      </label>
    </form>
  );
}

const STATUS_TEXT = { progress: text.filters.inProgress, ready: text.filters.ready, failed: text.filters.failed } as const;

/** A field whose text counts once somebody types no more. */
function Typed({ label, hint, value, set }: { label: string; hint?: string; value: string; set: (value: string) => void }) {
  const [typed, setTyped] = useState(value);
  const told = useRef(value);
  const latest = useRef(set);
  latest.current = set;
  useEffect(() => {
    // The address has changed by itself: somebody went back, or cleared the filter.
    if (value !== told.current) setTyped(value);
    told.current = value;
  }, [value]);
  useEffect(() => {
    if (typed === told.current) return undefined;
    const timer = setTimeout(() => {
      told.current = typed;
      latest.current(typed);
    }, PAUSE_MS);
    return () => clearTimeout(timer);
  }, [typed]);
  return (
    <label>
      {label}
      <input type="search" maxLength={200} placeholder={hint} value={typed} onInput={(event) => setTyped(event.currentTarget.value)} />
    </label>
  );
}
