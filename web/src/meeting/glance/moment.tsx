import { clock } from "../../parts/time.js";
import { text } from "../../strings/transcript.js";
import { useMeeting } from "../meeting_context.js";

/** A moment of the meeting that can be gone to. */
export function Moment({ ms }: { ms: number }) {
  const { player } = useMeeting();
  return (
    <button type="button" class="link" aria-label={text.playFrom(clock(ms))} onClick={() => player.playFrom(ms)}>
      {clock(ms)}
    </button>
  );
}
