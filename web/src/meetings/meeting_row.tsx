import type { MeetingSummary } from "meetra-client";
import { useEffect, useState } from "preact/hooks";
import { dateText, duration } from "../parts/time.js";
import { linkTo } from "../route.js";
import { text } from "../strings/meetings.js";

/** What can be done with a meeting of the list. */
export interface RowActions {
  readonly remove: (meeting: MeetingSummary) => void;
  readonly keep: (meeting: MeetingSummary) => void;
}

/** One meeting of the list. */
export function MeetingRow({ meeting, actions }: { meeting: MeetingSummary; actions: RowActions | undefined }) {
  const name = meeting.name || text.unnamed;
  const hidden = meeting.speakers - meeting.people.length;
  return (
    <tr role="row" class={meeting.delete_at ? "going" : undefined}>
      <th role="rowheader" scope="row">
        <a href={linkTo(`/meetings/${meeting.file_hash}`)}>
          <bdi>{name}</bdi>
        </a>
        {meeting.people.length > 0 && (
          <ul class="people hint">
            {meeting.people.map((person, index) => (
              <li key={index}>
                <bdi>{person}</bdi>
              </li>
            ))}
            {hidden > 0 && <li>{text.andMore(hidden)}</li>}
          </ul>
        )}
      </th>
      <td role="cell">
        {meeting.date ? dateText(meeting.date) : <span class="hint">{text.uploaded(dateText(meeting.created_at))}</span>}
      </td>
      <td role="cell">{meeting.duration_ms > 0 && duration(meeting.duration_ms)}</td>
      <td role="cell">
        <Status meeting={meeting} name={name} />
      </td>
      <td role="cell" class="actions">
        {!actions ? null : meeting.delete_at ? (
          <button type="button" aria-label={text.remove.undoOf(name)} onClick={() => actions.keep(meeting)}>
            {text.remove.undo}
          </button>
        ) : (
          <button type="button" class="quiet" aria-label={text.remove.of(name)} onClick={() => actions.remove(meeting)}>
            {text.remove.button}
          </button>
        )}
      </td>
    </tr>
  );
}

function Status({ meeting, name }: { meeting: MeetingSummary; name: string }) {
  if (meeting.delete_at) return <Countdown until={meeting.delete_at} />;
  switch (meeting.status) {
    case "ready":
      return <>{text.status.ready}</>;
    case "failed":
      return (
        <>
          <strong class="failed">{text.status.failed}</strong>
          <p class="hint">{meeting.message}</p>
        </>
      );
    case "receiving":
      return (
        <>
          {text.status.receiving}{" "}
          {meeting.session_id && (
            <a href={linkTo(`/live/${meeting.session_id}`)} aria-label={text.status.watchMeeting(name)}>
              {text.status.watch}
            </a>
          )}
        </>
      );
    case "queued":
      return (
        <>
          {text.status.queued}
          <p class="hint">{meeting.message}</p>
        </>
      );
    default:
      return (
        <>
          <progress max={100} value={meeting.progress_percent} aria-label={text.status.progressOf(name)} />
          <p class="hint">
            {text.status.stages[meeting.stage] ?? meeting.stage}, {text.status.percent(meeting.progress_percent)}
          </p>
        </>
      );
  }
}

/** How long a deletion still waits. It is not read out each second: what happens was said when it began. */
function Countdown({ until }: { until: string }) {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  const seconds = Math.max(0, Math.ceil((Date.parse(until) - now) / 1000));
  return <span aria-live="off">{text.remove.waiting(seconds)}</span>;
}
