import { MeetraError } from "meetra-client";
import { ErrorNotice } from "../parts/error_notice.js";
import { errorText } from "../server/error_text.js";
import { server } from "../server/server.js";
import { useAnswer } from "../server/use_answer.js";
import { text } from "../strings/live.js";
import { LiveHead } from "./live_head.js";
import { Notices } from "./notices.js";
import { useRecorder } from "./recorder.js";
import { Scores } from "./scores.js";
import { Timeline } from "./timeline.js";
import { Turns } from "./turns.js";
import { useLive } from "./use_live.js";

/** One live meeting as it goes, recorded here or watched. */
export function LiveView({ sessionId }: { sessionId: string }) {
  const latest = useRecorder();
  const recorder = latest?.meeting.sessionId === sessionId ? latest : undefined;
  const { state, error } = useLive(sessionId, recorder);
  const fileHash = recorder?.meeting.fileHash ?? state.finished?.file_hash ?? "";
  const name = useAnswer((signal) => nameOf(sessionId, fileHash, signal), [sessionId, fileHash]).value;
  const problem = error ?? recorder?.problem;
  return (
    <article class="live" aria-labelledby="live-name">
      <LiveHead sessionId={sessionId} name={name || text.meeting.unnamed} state={state} recorder={recorder} />
      {problem !== undefined && <ErrorNotice message={problemText(problem)} />}
      {recorder?.ended.map((kind) => (
        <ErrorNotice key={kind} message={text.meeting.soundEnded(text.start[kind])} />
      ))}
      <div class="live-columns">
        <div class="live-column">
          <Timeline state={state} />
          <Turns state={state} />
        </div>
        <div class="live-column">
          <Scores state={state} />
          <Notices notices={state.notices} />
        </div>
      </div>
    </article>
  );
}

async function nameOf(session_id: string, file_hash: string, signal: AbortSignal): Promise<string> {
  if (file_hash) return (await server.getMeetingStatus({ file_hash }, { signal })).name;
  const { meetings } = await server.listLiveMeetings({ page_size: 1000 }, { signal });
  return meetings.find((meeting) => meeting.session_id === session_id)?.name ?? "";
}

function problemText(problem: unknown): string {
  if (problem instanceof MeetraError && problem.reason === "SESSION_NOT_FOUND") return text.meeting.gone;
  return errorText(problem);
}
