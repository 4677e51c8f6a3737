import type { SearchMeetingsRequest } from "meetra-client";
import { momentsOf } from "../parts/days.js";
import type { Days } from "../parts/days.js";

/** What is searched for, as the address of the page has it; empty texts ask for nothing. */
export interface SearchQuery extends Days {
  readonly query: string;
  readonly speaker: string;
  readonly topic: string;
  readonly language: string;
  /** `words`, `meaning`, or empty: both. */
  readonly by: string;
}

/** Fields of a search, and what they are called in the address. */
const FIELDS = { query: "q", speaker: "speaker", topic: "topic", from: "from", to: "to", language: "language", by: "by" } as const;
const NAMES = Object.keys(FIELDS) as (keyof SearchQuery)[];

/** What an address searches for. */
export function queryOf(address: URLSearchParams): SearchQuery {
  return Object.fromEntries(NAMES.map((name) => [name, address.get(FIELDS[name]) ?? ""])) as unknown as SearchQuery;
}

/** What of a search its address says: nothing of what is not asked for. */
export function addressOf(wanted: SearchQuery): Record<string, string> {
  return Object.fromEntries(NAMES.map((name) => [FIELDS[name], wanted[name]]).filter(([, value]) => value));
}

/** The request of a search; of its days it finds some more (`isOfDays`). */
export function requestOf(wanted: SearchQuery, limit: number): SearchMeetingsRequest {
  const { query, from, to, ...rest } = wanted;
  return { query, limit, ...momentsOf({ from, to }), ...Object.fromEntries(Object.entries(rest).filter(([, value]) => value)) };
}

/** A piece of a sentence, and whether it is one of the words that were searched for. */
export interface Piece {
  readonly text: string;
  readonly matched: boolean;
}

const LETTER = /[\p{L}\p{N}\p{M}]/u;
// Scripts without spaces: a match may begin and end within what looks like a word.
const UNSPACED = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]/u;

/** The pieces of a sentence: its words that were found, and what is between. */
export function piecesOf(sentence: string, words: readonly string[]): Piece[] {
  const pieces: Piece[] = [];
  let plain = "";
  let place = 0;
  const longestFirst = [...words].filter(Boolean).sort((one, other) => other.length - one.length);
  while (place < sentence.length) {
    const word = longestFirst.find((candidate) => sentence.startsWith(candidate, place) && isWhole(sentence, place, candidate));
    if (word === undefined) {
      plain += sentence[place++] ?? "";
      continue;
    }
    if (plain) pieces.push({ text: plain, matched: false });
    plain = "";
    pieces.push({ text: word, matched: true });
    place += word.length;
  }
  if (plain) pieces.push({ text: plain, matched: false });
  return pieces;
}

function isWhole(sentence: string, place: number, word: string): boolean {
  if (UNSPACED.test(word)) return true;
  return !LETTER.test(sentence[place - 1] ?? "") && !LETTER.test(sentence[place + word.length] ?? "");
}
