import type { MeetingScores } from "meetra-client";
import { useEffect, useRef, useState } from "preact/hooks";
import { isOfDays, momentsOf } from "../parts/days.js";
import type { Days } from "../parts/days.js";
import { server } from "../server/server.js";

const PAGE_SIZE = 100;

/** Which meetings are looked at; empty: all. */
export interface Chosen extends Days {
  readonly voice: string;
}

/** The meetings of an organization, as many as were asked for. */
export interface Meetings {
  /** The latest held first. */
  readonly found: readonly MeetingScores[];
  readonly loading: boolean;
  readonly error?: unknown;
  /** Whether there are earlier ones. */
  readonly more: boolean;
  /** Ask for earlier ones, or again after an error. */
  readonly next: () => void;
}

interface State {
  readonly found: readonly MeetingScores[];
  readonly token: string;
  readonly loading: boolean;
  readonly error?: unknown;
}

/** Meetings with their scores, page by page; anew whenever `chosen` changes. */
export function useMeetings({ from, to, voice }: Chosen): Meetings {
  const [state, setState] = useState<State>({ found: [], token: "", loading: true });
  const round = useRef(0);
  const days = { from, to };
  const isWanted = ({ date, held_at }: MeetingScores): boolean => isOfDays(days, date, held_at);
  const ask = (found: readonly MeetingScores[], token: string): void => {
    const mine = ++round.current;
    setState({ found, token, loading: true });
    server
      .listMeetingScores({
        page_size: PAGE_SIZE,
        page_token: token,
        ...momentsOf(days),
        voice,
      })
      .then(
        (page) =>
          mine === round.current &&
          setState({ found: [...found, ...page.meetings.filter(isWanted)], token: page.next_page_token, loading: false }),
        (error: unknown) => mine === round.current && setState({ found, token, loading: false, error }),
      );
  };
  useEffect(() => {
    ask([], "");
    return () => void round.current++;
  }, [from, to, voice]);
  return { ...state, more: state.token !== "", next: () => ask(state.found, state.token) };
}
