import type { GetMeetingStatusResponse } from "meetra-client";
import { linkTo } from "../route.js";
import { text } from "../strings/meeting.js";

/** A meeting that has no answers yet, or never will have: how far it is, or why. */
export function NotReady({ status }: { status: GetMeetingStatusResponse }) {
  if (status.status === "failed") {
    return (
      <div class="notice error" role="alert">
        <h2>{text.failed}</h2>
        <p>{status.message}</p>
      </div>
    );
  }
  return (
    <div class="notice" role="status">
      <h2>{text.states[status.status] ?? status.status}</h2>
      <p>{status.message}</p>
      {status.status === "receiving" ? (
        <p>
          <a href={linkTo("/live")}>{text.goLive}</a>
        </p>
      ) : (
        <progress max={100} value={status.progress_percent} aria-label={text.progress} />
      )}
      <p class="hint">{text.comesByItself}</p>
    </div>
  );
}
