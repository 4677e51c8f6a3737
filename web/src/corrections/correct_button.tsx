import { clock } from "../parts/time.js";
import { text } from "../strings/corrections.js";
import "./corrections.css";

interface CorrectButtonProps {
  readonly startMs: number;
  /** The keyboard reaches it: of a list, one row is reached, and the arrows move from there. */
  readonly reached: boolean;
  readonly correct: () => void;
}

/** Begins to correct a sentence: a pencil. */
export function CorrectButton({ startMs, reached, correct }: CorrectButtonProps) {
  return (
    <button
      type="button"
      class="quiet sentence-correct screen-only"
      tabIndex={reached ? 0 : -1}
      title={text.correct}
      aria-label={text.correctAt(clock(startMs))}
      onClick={correct}
    >
      <svg viewBox="0 0 16 16" aria-hidden="true">
        <path d="M2 14l.8-3.4L11 2.4a1 1 0 0 1 1.4 0l1.2 1.2a1 1 0 0 1 0 1.4L5.4 13.2z" />
      </svg>
    </button>
  );
}
