import type { GetTranscriptionResponse, TranscriptSentence, TranscriptWord } from "meetra-client";
import { clockMs } from "../parts/time.js";

/** A sentence of the transcript. */
export interface Sentence {
  /** From 1 in the order of time; what corrections call it by. 0 where the server has no numbers. */
  readonly number: number;
  /** The speaker's id; empty where unknown. */
  readonly speaker: string;
  readonly startMs: number;
  readonly endMs: number;
  /** Empty where its words were removed by hand. */
  readonly text: string;
  readonly words: readonly TranscriptWord[];
  /** What the recogniser wrote, where the words were corrected or removed by hand. */
  readonly originalText?: string | undefined;
  /** Whose it was, where it was moved by hand. */
  readonly originalSpeaker?: string | undefined;
}

// A sentence that says nothing for longer than this is two.
const PAUSE_MS = 2000;
const END = /[.?!。？！؟।…]["'”’»)]?$/u;
// Below it a word is shown as uncertain.
export const UNCERTAIN = 0.5;

/** The sentences of a transcript that was asked for with details, in the order of time. */
export function sentencesOf({ Transcription, details }: GetTranscriptionResponse): Sentence[] {
  const words = details?.words ?? [];
  const given = details?.sentences ?? [];
  if (given.length > 0) return given.map((sentence) => numbered(sentence, words));
  if (words.length > 0) return joined(words);
  // Without words there are the beginnings of statements alone.
  return Transcription.map(({ speaker, transcription, start_timestamp }, index) => {
    const startMs = clockMs(start_timestamp);
    const next = Transcription[index + 1];
    const endMs = next ? Math.max(startMs, clockMs(next.start_timestamp)) : startMs;
    return { number: 0, speaker, startMs, endMs, text: transcription, words: [] };
  });
}

function numbered(sentence: TranscriptSentence, words: readonly TranscriptWord[]): Sentence {
  const { number, speaker, start_ms: startMs, end_ms: endMs, text } = sentence;
  const own: TranscriptWord[] = [];
  for (let index = firstFrom(words, startMs); index < words.length; index++) {
    const word = words[index];
    if (!word || word.start_ms > endMs) break;
    if (word.speaker === speaker && word.end_ms <= endMs) own.push(word);
  }
  return {
    number,
    speaker,
    startMs,
    endMs,
    text,
    words: own,
    originalText: sentence.original_text,
    originalSpeaker: sentence.original_speaker,
  };
}

/** The place of the first word that begins at `startMs` or later; words are in the order of time. */
function firstFrom(words: readonly TranscriptWord[], startMs: number): number {
  let low = 0;
  let high = words.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((words[middle]?.start_ms ?? 0) < startMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Sentences of words alone: each speaker's, up to a mark that ends one or a pause. */
function joined(words: readonly TranscriptWord[]): Sentence[] {
  const found: TranscriptWord[][] = [];
  const open = new Map<string, TranscriptWord[]>();
  for (const word of words) {
    let own = open.get(word.speaker);
    const last = own?.at(-1);
    if (!own || !last || END.test(last.text) || word.start_ms - last.end_ms > PAUSE_MS) {
      own = [];
      open.set(word.speaker, own);
      found.push(own);
    }
    own.push(word);
  }
  return found.map((own) => ({
    number: 0,
    speaker: own[0]?.speaker ?? "",
    startMs: own[0]?.start_ms ?? 0,
    endMs: own.at(-1)?.end_ms ?? 0,
    text: own.map(({ text }) => text).join(" "),
    words: own,
  }));
}

/** Whether the words of a sentence were removed by hand. */
export function isRemoved({ text, originalText }: Sentence): boolean {
  return text === "" && originalText !== undefined;
}

/** Mean confidence of a sentence's words; undefined where none has one. */
export function confidenceOf({ words }: Sentence): number | undefined {
  const known = words.flatMap(({ confidence }) => confidence ?? []);
  return known.length > 0 ? known.reduce((sum, value) => sum + value, 0) / known.length : undefined;
}

/** The place of the sentence that is spoken at a moment, else of the last one before; -1 before the first. */
export function sentenceAt(sentences: readonly Sentence[], ms: number): number {
  let low = 0;
  let high = sentences.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sentences[middle]?.startMs ?? 0) <= ms) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
