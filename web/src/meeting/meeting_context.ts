import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Speaker } from "meetra-client";
import type { Player } from "./player/player.js";

/** A speaker as the page shows them: with a place in the order of first words, which gives the colour. */
export interface Person extends Speaker {
  readonly index: number;
}

/** What all parts of a meeting's page share. */
export interface MeetingFacts {
  readonly fileHash: string;
  readonly durationMs: number;
  /** By id, in the order of their first words. */
  readonly people: ReadonlyMap<string, Person>;
  readonly player: Player;
  /** Counts corrections: whoever shows answers asks for them anew when it changes. */
  readonly round: number;
  /** Something was corrected. */
  readonly changed: () => void;
}

export const MeetingContext = createContext<MeetingFacts | undefined>(undefined);

/** The meeting around. */
export function useMeeting(): MeetingFacts {
  const found = useContext(MeetingContext);
  if (!found) throw new Error("outside of a meeting's page");
  return found;
}

/** How many colours there are for speakers. */
const COLOURS = 8;

/** The class of a speaker's colour. */
export function colourOf(person: Person | undefined): string {
  return person ? `speaker-${person.index % COLOURS}` : "speaker-none";
}
