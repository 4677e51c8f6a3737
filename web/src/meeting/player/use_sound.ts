import { useCallback, useEffect, useState } from "preact/hooks";
import { server } from "../../server/server.js";
import { preparedSound } from "./prepared_sound.js";

/** What of a meeting can be heard. */
export interface Sound {
  /** Where the browser finds it; undefined while it is made, and where there is none. */
  readonly url?: string;
  /** Counts the links: each needs an element of its own. */
  readonly link: number;
  /** The loudness of equal periods over the whole meeting, 0..1; empty until it is known. */
  readonly peaks: readonly number[];
  /** Why there is none. */
  readonly error?: unknown;
  /** The link no longer works: get another one. */
  readonly renew: () => void;
}

// So many bars are drawn at most: more than a screen has room for.
const BARS = 1000;
const FULL_SCALE = 255;

/** Ask for the sound of a meeting until it is made. */
export function useSound(fileHash: string): Sound {
  const [found, setFound] = useState<Omit<Sound, "renew">>({ peaks: [], link: 0 });
  const [round, setRound] = useState(0);
  useEffect(() => {
    const call = new AbortController();
    const { signal } = call;
    setFound(({ error: _, ...before }) => before);
    void (async () => {
      try {
        const { url } = await preparedSound(fileHash, signal);
        setFound(({ peaks, link }) => ({ url, peaks, link: link + 1 }));
      } catch (error) {
        if (!signal.aborted) setFound((before) => ({ ...before, error }));
        return;
      }
      try {
        const { peaks } = await server.getMeetingPeaks({ file_hash: fileHash }, { signal });
        setFound((before) => ({ ...before, peaks: drawable(peaks) }));
      } catch {
        // It can be heard without: the timeline has no picture of its loudness.
      }
    })();
    return () => call.abort();
  }, [fileHash, round]);
  const renew = useCallback(() => setRound((number) => number + 1), []);
  return { ...found, renew };
}

/** At most `BARS` values of 0..1, each the largest of its peaks. */
export function drawable(peaks: readonly number[]): number[] {
  const each = Math.max(1, Math.ceil(peaks.length / BARS));
  const found: number[] = [];
  for (let at = 0; at < peaks.length; at += each) {
    found.push(Math.max(...peaks.slice(at, at + each)) / FULL_SCALE);
  }
  return found;
}
