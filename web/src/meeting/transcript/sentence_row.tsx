import type { ComponentChildren } from "preact";
import { CorrectButton } from "../../corrections/correct_button.js";
import { memo } from "../../parts/memo.js";
import { clock } from "../../parts/time.js";
import { text } from "../../strings/transcript.js";
import { colourOf } from "../meeting_context.js";
import type { Person } from "../meeting_context.js";
import { confidenceOf, isRemoved, UNCERTAIN } from "../transcript_model.js";
import type { Sentence } from "../transcript_model.js";
import { occurrences } from "./folded.js";

interface SentenceRowProps {
  readonly sentence: Sentence;
  /** Whose it is; undefined where that is unknown. */
  readonly person: Person | undefined;
  /** Its speaker's name stands above it, as they did not speak before. */
  readonly first: boolean;
  /** It is being spoken. */
  readonly current: boolean;
  /** The keyboard is at it. */
  readonly active: boolean;
  /** What is searched, folded. */
  readonly wanted: string;
  readonly play: (ms: number) => void;
  /** Begin to correct the sentence of this number; absent where whoever reads may not. */
  readonly correct: ((number: number) => void) | undefined;
  /** What stands in place of the text while it is corrected. */
  readonly editor?: ComponentChildren;
}

/** One sentence: who says it where that changes, when, and how sure the recogniser is. */
export const SentenceRow = memo(function SentenceRow(given: SentenceRowProps) {
  const { sentence, person, first, current, active, wanted, play, correct, editor } = given;
  const confidence = confidenceOf(sentence);
  const colour = colourOf(person);
  const removed = isRemoved(sentence);
  return (
    <div class={`sentence ${colour}${current ? " current" : ""}${removed ? " removed" : ""}`} aria-current={current ? "true" : undefined}>
      {first && (
        <p class="sentence-speaker">
          <span class={`swatch ${colour}`} />
          <bdi>{person?.alias ?? text.unknownSpeaker}</bdi>
        </p>
      )}
      <div class="sentence-line">
        <button
          type="button"
          class="sentence-time"
          tabIndex={active ? 0 : -1}
          aria-label={text.playFrom(clock(sentence.startMs))}
          onClick={() => play(sentence.startMs)}
        >
          {clock(sentence.startMs)}
        </button>
        {editor}
        <p class={`sentence-text${editor ? " print-only" : ""}`} dir="auto">
          {removed ? <s>{sentence.originalText}</s> : marked(sentence, wanted)}
          {confidence !== undefined && confidence < UNCERTAIN && <em class="doubt">{` ${text.doubtful}`}</em>}
          {removed && <em class="corrected">{` ${text.removed}`}</em>}
          {sentence.originalText !== undefined && !removed && (
            <em class="corrected" title={text.recognised(sentence.originalText)}>{` ${text.corrected}`}</em>
          )}
          {sentence.originalSpeaker !== undefined && <em class="corrected">{` ${text.moved}`}</em>}
        </p>
        {correct && !editor && sentence.number > 0 && (
          <CorrectButton startMs={sentence.startMs} reached={active} correct={() => correct(sentence.number)} />
        )}
      </div>
    </div>
  );
});

/** The text with what is searched, and with the words of which the recogniser is not sure. */
function marked(sentence: Sentence, wanted: string): ComponentChildren {
  if (wanted) return highlighted(sentence.text, wanted);
  const { text: whole, words } = sentence;
  if (!words.some(isUncertain)) return whole;
  const parts: ComponentChildren[] = [];
  let at = 0;
  for (const word of words) {
    const found = whole.indexOf(word.text, at);
    // Words that were changed since: no word can be pointed at.
    if (found < 0) return whole;
    if (!isUncertain(word)) continue;
    parts.push(whole.slice(at, found));
    parts.push(
      <span class="uncertain" title={text.uncertain}>
        {word.text}
      </span>,
    );
    at = found + word.text.length;
  }
  parts.push(whole.slice(at));
  return parts;
}

function isUncertain({ confidence }: { confidence?: number }): boolean {
  return confidence !== undefined && confidence < UNCERTAIN;
}

function highlighted(whole: string, wanted: string): ComponentChildren {
  const parts: ComponentChildren[] = [];
  let at = 0;
  for (const [start, end] of occurrences(whole, wanted)) {
    parts.push(whole.slice(at, start), <mark>{whole.slice(start, end)}</mark>);
    at = end;
  }
  parts.push(whole.slice(at));
  return parts;
}
