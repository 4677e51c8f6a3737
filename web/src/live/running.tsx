import type { LiveMeeting } from "meetra-client";
import { ErrorNotice } from "../parts/error_notice.js";
import { clock } from "../parts/time.js";
import { linkTo } from "../route.js";
import { errorText } from "../server/error_text.js";
import { server } from "../server/server.js";
import { useAnswer } from "../server/use_answer.js";
import { useRepeated } from "../server/use_repeated.js";
import { text } from "../strings/live.js";
import { useRecorder } from "./recorder.js";

type Running = Awaited<ReturnType<typeof server.listLiveMeetings>>["meetings"][number];

// Holders report every 4 s.
const EVERY_MS = 4000;
const UNATTENDED_MS = 15_000;

/** The running meetings of the organization, as they come and go. */
export function RunningMeetings() {
  const answer = useAnswer((signal) => server.listLiveMeetings({ page_size: 200 }, { signal }), []);
  const { value, error } = answer;
  const recorder = useRecorder();
  useRepeated(answer, EVERY_MS);
  return (
    <section class="card" aria-labelledby="live-running">
      <h2 id="live-running">{text.running.title}</h2>
      {error !== undefined && <ErrorNotice message={errorText(error)} />}
      {value?.meetings.length === 0 && <p>{text.running.none}</p>}
      {value && value.meetings.length > 0 && (
        <ul class="live-running">
          {value.meetings.map((meeting) => (
            <RunningMeeting key={meeting.session_id} meeting={meeting} held={recorder?.meeting} />
          ))}
        </ul>
      )}
    </section>
  );
}

function RunningMeeting({ meeting, held }: { meeting: Running; held: LiveMeeting | undefined }) {
  const people = meeting.speakers.map(({ alias }) => alias).join(", ");
  return (
    <li>
      <h3>
        <a href={linkTo(`/live/${meeting.session_id}`)}>
          <bdi>{meeting.name}</bdi>
        </a>
      </h3>
      <dl class="live-facts">
        <dt>{text.running.state}</dt>
        <dd>{held?.sessionId === meeting.session_id ? text.running.here : stateOf(meeting)}</dd>
        <dt>{text.running.since}</dt>
        <dd>{clock(meeting.running_ms)}</dd>
        <dt>{text.running.people}</dt>
        <dd>
          <bdi>{people || text.running.nobody}</bdi>
        </dd>
      </dl>
    </li>
  );
}

function stateOf(meeting: Running): string {
  if (meeting.state === "finishing") return text.running.finishing;
  if ((meeting.report_age_ms ?? 0) > UNATTENDED_MS) return text.running.unattended;
  return meeting.client_connected ? text.running.sending : text.running.open;
}
