import type { MeetingSummary } from "meetra-client";
import { text } from "../strings/meetings.js";
import { MeetingRow } from "./meeting_row.js";
import type { RowActions } from "./meeting_row.js";

const COLUMNS = [
  { label: text.columns.name, by: "name" },
  { label: text.columns.date, by: "date" },
  { label: text.columns.length, by: "duration" },
  { label: text.columns.status, by: "status" },
] as const;

/** The meetings, with a column that sorts them wherever the server does. */
export function MeetingTable({
  meetings,
  sort,
  setSort,
  actions,
}: {
  meetings: readonly MeetingSummary[];
  sort: string;
  setSort: (sort: string) => void;
  /** Absent where whoever looks may do nothing with them. */
  actions: RowActions | undefined;
}) {
  return (
    // On a phone the rows are blocks, and no table to a browser: the roles say what they are.
    <table class="meeting-table" role="table" aria-label={text.list}>
      <thead role="rowgroup">
        <tr role="row">
          {COLUMNS.map(({ label, by }) => (
            <th key={by} role="columnheader" scope="col" aria-sort={direction(sort, by)}>
              <button type="button" class="quiet" onClick={() => setSort(next(sort, by))}>
                {label}
              </button>
            </th>
          ))}
          <th role="columnheader" scope="col">
            <span class="hidden">{text.columns.actions}</span>
          </th>
        </tr>
      </thead>
      <tbody role="rowgroup">
        {meetings.map((meeting) => (
          <MeetingRow key={meeting.file_hash} meeting={meeting} actions={actions} />
        ))}
      </tbody>
    </table>
  );
}

function direction(sort: string, by: string): "ascending" | "descending" | "none" {
  if (sort === by) return "ascending";
  return sort === `-${by}` ? "descending" : "none";
}

/** The order after a click: names and states from their beginning first, dates and lengths from their end. */
function next(sort: string, by: string): string {
  const first = by === "date" || by === "duration" ? `-${by}` : by;
  const second = first === by ? `-${by}` : by;
  return sort === first ? second : first;
}
