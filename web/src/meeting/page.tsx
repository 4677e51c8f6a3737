import { Lacking } from "../parts/lacking.js";
import { Waiting } from "../parts/waiting.js";
import type { PageProps } from "../routes.js";
import { useRights } from "../server/rights.js";
import { server } from "../server/server.js";
import { useAnswer } from "../server/use_answer.js";
import { useRepeated } from "../server/use_repeated.js";
import { MeetingHeader } from "./meeting_header.js";
import { NotReady } from "./not_ready.js";
import { Report } from "./report.js";
import "./meeting.css";

// How often a meeting under way is asked for its progress.
const POLL_MS = 1000;

/** One meeting at a glance; while it is analysed, how far that is. */
export function MeetingPage({ parameters, query }: PageProps) {
  const fileHash = parameters["fileHash"] ?? "";
  // Nothing of a meeting is shown as another's.
  return <OneMeeting key={fileHash} fileHash={fileHash} query={query} />;
}

function OneMeeting({ fileHash, query }: { fileHash: string; query: URLSearchParams }) {
  const status = useAnswer((signal) => server.getMeetingStatus({ file_hash: fileHash }, { signal }), [fileHash]);
  const { may } = useRights();
  const state = status.value?.status;
  const settled = state === "ready" || state === "failed";
  useRepeated(status, POLL_MS, state !== undefined && !settled);
  return (
    <Waiting answer={status}>
      {(found) => (
        <>
          <MeetingHeader status={found} />
          {found.status === "ready" ? (
            may("RIGHT_READ") ? (
              <Report status={found} query={query} reload={status.reload} />
            ) : (
              <Lacking right="RIGHT_READ" />
            )
          ) : (
            <NotReady status={found} />
          )}
        </>
      )}
    </Waiting>
  );
}
