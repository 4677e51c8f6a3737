import { Backoff } from "./backoff.js";
import { MeetraError } from "./errors.js";
import type { LiveEvent } from "./generated/messages.js";
import { isPassing } from "./http.js";
import type { LiveTransport } from "./transport.js";

/** How long a connection that is lost is tried again, seconds. */
export const PATIENCE_S = 600;

/** What to watch, and how long. */
export interface WatchOptions {
  /** The number of the last event seen; 0 or absent: all events. None come after that of `finished`. */
  afterEventSeq?: number;
  /** How long to try again without a connection, seconds; 600 if absent. */
  patienceS?: number;
  /** Ends the watching; it then throws the signal's reason. */
  signal?: AbortSignal;
}

/**
 * All events of a meeting after `afterEventSeq`, in their order, each once, up to `finished`, over as many connections
 * as it takes. Throws MeetraError.
 */
export async function* watch(
  transport: LiveTransport,
  sessionId: string,
  options: WatchOptions = {},
): AsyncGenerator<LiveEvent, void, undefined> {
  const { signal } = options;
  const backoff = new Backoff(options.patienceS ?? PATIENCE_S);
  let seen = options.afterEventSeq ?? 0;
  for (;;) {
    let lost = new MeetraError("the stream of events ended before the meeting did", 0, "UNREACHABLE");
    try {
      // The last event seen comes once more: after `finished` the server ends the stream without a message, which
      // could not be told from a lost connection.
      for await (const { event } of transport.events(sessionId, Math.max(0, seen - 1), signal)) {
        if (event !== undefined && event.event_seq <= seen) {
          if (event.finished) return;
          continue;
        }
        backoff.reset();
        if (event === undefined) continue;
        // Where the last event seen is no longer stored, it is counted as left out.
        const left_out = Math.min(event.left_out, event.event_seq - seen - 1);
        seen = event.event_seq;
        yield { ...event, left_out };
        if (event.finished) return;
      }
    } catch (thrown) {
      if (!isPassing(thrown)) throw thrown;
      lost = thrown;
    }
    await backoff.wait(lost, signal);
  }
}
