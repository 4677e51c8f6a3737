import { useEffect, useReducer, useState } from "preact/hooks";
import { MeetraError } from "meetra-client";
import { server } from "../server/server.js";
import { LiveState } from "./live_state.js";
import type { Recorder } from "./recorder.js";

/** A live meeting as it is, and why nothing more is told. */
export interface Live {
  readonly state: LiveState;
  readonly error: unknown;
}

/**
 * The events of a meeting from its beginning on: of the connection that records it here, or as a watcher. Of another
 * meeting they are another component's.
 */
export function useLive(sessionId: string, recorder: Recorder | undefined): Live {
  const [, show] = useReducer((round: number) => round + 1, 0);
  const [error, setError] = useState<unknown>();
  const [state] = useState(() => new LiveState());
  // Where its connection cannot go on, what comes is watched.
  const recorded = recorder?.problem === undefined ? recorder?.meeting : undefined;
  useEffect(() => {
    const ended = new AbortController();
    const { signal } = ended;
    let waiting: ReturnType<typeof setTimeout> | undefined;
    // Hundreds of events may come at once: they are shown together.
    const soon = (): void => {
      waiting ??= setTimeout(() => {
        waiting = undefined;
        show(undefined);
      }, 100);
    };
    const read = async (): Promise<void> => {
      const options = { afterEventSeq: state.lastEventSeq, signal };
      for await (const event of recorded ? recorded.events(options) : server.watch(sessionId, options)) {
        state.apply(event);
        soon();
      }
    };
    setError(undefined);
    if (!state.finished) read().catch((thrown: unknown) => signal.aborted || setError(thrown));
    return () => {
      clearTimeout(waiting);
      ended.abort(new MeetraError("the page shows something else", 0));
    };
  }, [sessionId, recorded]);
  return { state, error };
}

/** Render again every so many milliseconds. */
export function useTick(ms: number): void {
  const [, tick] = useReducer((round: number) => round + 1, 0);
  useEffect(() => {
    const timer = setInterval(() => tick(undefined), ms);
    return () => clearInterval(timer);
  }, [ms]);
}
