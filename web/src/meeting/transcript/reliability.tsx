import type { TranscriptDetails } from "meetra-client";
import { About } from "../../parts/measured.js";
import { percent } from "../../parts/numbers.js";
import { text } from "../../strings/transcript.js";

/** How far the transcript can be trusted, in words. */
export function Reliability({ details, sentences }: { details: TranscriptDetails | undefined; sentences: number }) {
  if (!details) return null;
  const { mean_word_confidence: mean, reliable, advice, threshold, engine } = details;
  const words = details.words.length;
  return (
    <p class="reliability">
      <span class={reliable ? "good" : "doubt"}>{reliable ? text.reliable : text.unreliable}</span>
      {` ${mean === undefined ? text.noConfidence : text.sure(percent(mean))} `}
      {!reliable && advice && `${advice} `}
      <About
        metric="reliable"
        name={text.reliability}
        value={reliable ? text.reliable : text.unreliable}
        facts={[
          [text.meanConfidence, mean === undefined ? text.noConfidence : percent(mean)],
          [text.threshold, percent(threshold)],
          [text.sentences, String(sentences)],
          [text.words, String(words)],
          ...(engine ? ([[text.times, engine.word_times ? text.timesMeasured : text.timesEstimated]] as const) : []),
          ...(engine ? ([[text.models, engine.models.join(", ")]] as const) : []),
        ]}
      />
    </p>
  );
}
