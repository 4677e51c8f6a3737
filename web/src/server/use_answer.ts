import { useCallback, useEffect, useRef, useState } from "preact/hooks";

/** An answer of the server, as a page shows it. */
export interface Answer<T> {
  /** The latest answer; it stays while it is asked for again. */
  readonly value?: T;
  /** Why there is none, or no newer one. */
  readonly error?: unknown;
  readonly loading: boolean;
  /** Ask again. */
  readonly reload: () => void;
}

/**
 * Ask the server, and again whenever `inputs` change; a page that is left asks no further.
 *
 * @param ask makes the calls; `signal` ends them.
 * @param inputs what `ask` depends on: texts, numbers, booleans.
 */
export function useAnswer<T>(
  ask: (signal: AbortSignal) => Promise<T>,
  inputs: readonly (string | number | boolean | undefined)[],
): Answer<T> {
  const [state, setState] = useState<Omit<Answer<T>, "reload">>({ loading: true });
  const [round, setRound] = useState(0);
  const latest = useRef(ask);
  latest.current = ask;
  useEffect(() => {
    const call = new AbortController();
    setState(({ value }) => ({ ...(value !== undefined && { value }), loading: true }));
    latest.current(call.signal).then(
      (value) => call.signal.aborted || setState({ value, loading: false }),
      (error: unknown) =>
        call.signal.aborted || setState(({ value }) => ({ ...(value !== undefined && { value }), error, loading: false })),
    );
    return () => call.abort();
  }, [round, ...inputs]);
  const reload = useCallback(() => setRound((number) => number + 1), []);
  return { ...state, reload };
}
