import type { MeetingSummary } from "meetra-client";
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { isOfDays } from "../parts/days.js";
import { firstOf } from "../server/pages.js";
import { server } from "../server/server.js";
import { requestOf } from "./filter.js";
import type { MeetingFilter } from "./filter.js";

const PAGE = 50;
/** How often the list is brought up to date: while something happens in it, and else. */
const BUSY_MS = 2000;
const QUIET_MS = 15_000;
const DONE = new Set(["ready", "failed"]);

/** The list, as far as it is shown. */
export interface Meetings {
  readonly meetings?: readonly MeetingSummary[];
  /** Whether there are more than are shown. */
  readonly more: boolean;
  /** Why the list is not up to date. */
  readonly error?: unknown;
  readonly loading: boolean;
  readonly showMore: () => void;
  /** Bring the list up to date now. */
  readonly refresh: () => void;
}

type Shown = Omit<Meetings, "showMore" | "refresh">;

/** The meetings of a filter, brought up to date for as long as the page is looked at. */
export function useMeetings(filter: MeetingFilter): Meetings {
  const [shown, setShown] = useState<Shown>({ more: false, loading: true });
  const [wanted, setWanted] = useState(PAGE);
  const [round, setRound] = useState(0);
  const refresh = useCallback(() => setRound((number) => number + 1), []);
  const showMore = useCallback(() => setWanted((count) => count + PAGE), []);
  const key = JSON.stringify(filter);
  const last = useRef(key);
  useEffect(() => {
    // Another filter begins anew.
    if (last.current !== key && wanted !== PAGE) setWanted(PAGE);
    last.current = key;
  }, [key]);
  useEffect(() => {
    const call = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = async (): Promise<void> => {
      let pause = QUIET_MS;
      try {
        const { items: meetings, more } = await firstOf(wanted, async (page) => {
          const found = await server.listMeetings({ ...requestOf(filter), ...page }, { signal: call.signal });
          const items = found.meetings.filter(({ date, created_at }) => isOfDays(filter, date, created_at));
          return { items, next: found.next_page_token };
        });
        setShown({ meetings, more, loading: false });
        if (meetings.some((meeting) => !DONE.has(meeting.status) || meeting.delete_at)) pause = BUSY_MS;
      } catch (error) {
        if (call.signal.aborted) return;
        setShown(({ meetings, more }) => ({ ...(meetings && { meetings }), more, error, loading: false }));
      }
      timer = setTimeout(() => void again(), pause);
    };
    const again = async (): Promise<void> => {
      timer = undefined;
      // A page that nobody looks at asks nothing; it is brought up to date when it is looked at again.
      if (!document.hidden) await look();
    };
    const seen = (): void => void (timer === undefined && again());
    document.addEventListener("visibilitychange", seen);
    setShown(({ meetings, more }) => ({ ...(meetings && { meetings }), more, loading: true }));
    void look();
    return () => {
      call.abort();
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", seen);
    };
  }, [key, wanted, round]);
  return { ...shown, showMore, refresh };
}
