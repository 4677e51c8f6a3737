import type { GetTranscriptionResponse } from "meetra-client";
import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { SentenceEditor } from "../../corrections/sentence_editor.js";
import { useEditing } from "../../corrections/use_editing.js";
import { useVirtualList } from "../../parts/virtual_list.js";
import { useRights } from "../../server/rights.js";
import { text } from "../../strings/transcript.js";
import { useMeeting } from "../meeting_context.js";
import { usePlayer } from "../player/player.js";
import type { Player } from "../player/player.js";
import { isRemoved, sentenceAt } from "../transcript_model.js";
import type { Sentence } from "../transcript_model.js";
import { folded } from "./folded.js";
import { Reliability } from "./reliability.js";
import { SentenceRow } from "./sentence_row.js";
import { usePrinting } from "../../parts/use_printing.js";
import "./transcript.css";

interface TranscriptProps {
  readonly answer: GetTranscriptionResponse;
  readonly sentences: readonly Sentence[];
  /** What is searched at first. */
  readonly search: string;
}

// A line of text, and how many letters it holds, until a row is measured.
const LINE_PX = 24;
const LETTERS = 55;

function isRemovedAt(sentences: readonly Sentence[], index: number): boolean {
  const sentence = sentences[index];
  return sentence !== undefined && isRemoved(sentence);
}

/** How many letters a sentence is shown with. */
function lengthOf(sentence: Sentence | undefined): number {
  return (sentence?.text || sentence?.originalText || "").length;
}

/** The transcript: searched, followed while it is played, and played from where it is touched. */
export function Transcript({ answer, sentences, search }: TranscriptProps) {
  const { fileHash, people, player } = useMeeting();
  const editing = useEditing(fileHash);
  const correctable = useRights().may("RIGHT_EDIT");
  const scroller = useRef<HTMLDivElement>(null);
  const [query, setQuery] = useState(search);
  const [follow, setFollow] = useState(true);
  const [active, setActive] = useState(0);
  const wanted = useMemo(() => folded(query.trim()).text, [query]);
  const texts = useMemo(() => sentences.map((sentence) => folded(sentence.text).text), [sentences]);
  const hits = useMemo(
    () => (wanted ? texts.flatMap((one, index) => (one.includes(wanted) ? [index] : [])) : []),
    [texts, wanted],
  );
  const [hit, setHit] = useState(0);
  const spoken = usePlayer(
    player,
    useCallback(({ timeMs }: Player) => (timeMs > 0 ? sentenceAt(sentences, timeMs) : -1), [sentences]),
  );
  const printing = usePrinting();
  // A removed sentence is not printed: the name above it would be missing there.
  const begins = useCallback(
    (index: number) => {
      let before = index - 1;
      while (before > 0 && isRemovedAt(sentences, before)) before--;
      return index === 0 || isRemovedAt(sentences, before) || sentences[before]?.speaker !== sentences[index]?.speaker;
    },
    [sentences],
  );
  const list = useVirtualList({
    count: sentences.length,
    scroller,
    estimate: (index) =>
      LINE_PX * (Math.ceil(lengthOf(sentences[index]) / LETTERS) || 1) + (begins(index) ? 40 : 8),
    kept: active,
  });
  const play = useCallback((ms: number) => player.playFrom(ms), [player]);

  const closeEditor = useCallback(
    (number: number) => {
      editing.close(number);
      // Back to the sentence, once its row is drawn again.
      requestAnimationFrame(() =>
        scroller.current?.querySelector<HTMLElement>(`[data-index="${number - 1}"] .sentence-correct`)?.focus(),
      );
    },
    [editing.close],
  );

  useEffect(() => {
    const [first] = editing.numbers;
    // What was being typed when the page was left.
    if (first !== undefined && editing.opened === undefined) list.scrollToIndex(first - 1, { align: "center" });
  }, []);
  useEffect(() => {
    // Not away from what somebody is typing.
    const typing = document.activeElement?.closest(".sentence-editor");
    if (follow && spoken >= 0 && !typing) list.scrollToIndex(spoken, { align: "auto" });
  }, [follow, spoken]);
  useEffect(() => {
    setHit(0);
    if (hits[0] !== undefined) list.scrollToIndex(hits[0], { align: "center" });
  }, [hits]);
  const goToHit = (step: number): void => {
    if (hits.length === 0) return;
    const next = (hit + step + hits.length) % hits.length;
    setHit(next);
    setActive(hits[next] ?? 0);
    list.scrollToIndex(hits[next] ?? 0, { align: "center" });
  };
  const moved = (event: KeyboardEvent): void => {
    const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -Infinity, End: Infinity };
    const step = steps[event.key];
    if (step === undefined || !(event.target instanceof HTMLElement) || !event.target.matches(".sentence-time")) return;
    event.preventDefault();
    const next = Math.min(sentences.length - 1, Math.max(0, active + step));
    setActive(next);
    list.scrollToIndex(next, { align: "auto" });
    // The row may have to be drawn first.
    requestAnimationFrame(() =>
      scroller.current?.querySelector<HTMLElement>(`[data-index="${next}"] .sentence-time`)?.focus(),
    );
  };
  // Arrows go on from the row that was touched or tabbed to.
  const entered = (event: FocusEvent): void => {
    const row = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-index]") : null;
    if (row) setActive(Number(row.dataset["index"]));
  };
  const row = (index: number) => {
    const sentence = sentences[index];
    return (
      sentence && (
        <SentenceRow
          sentence={sentence}
          person={people.get(sentence.speaker)}
          first={begins(index)}
          current={index === spoken}
          active={index === active}
          wanted={wanted}
          play={play}
          correct={correctable ? editing.open : undefined}
          editor={
            correctable &&
            editing.numbers.has(sentence.number) && (
              <SentenceEditor sentence={sentence} focused={editing.opened === sentence.number} close={closeEditor} />
            )
          }
        />
      )
    );
  };
  return (
    <section class="transcript" aria-labelledby="transcript-heading">
      <h2 id="transcript-heading">{text.title}</h2>
      <Reliability details={answer.details} sentences={sentences.filter((one) => !isRemoved(one)).length} />
      <form
        class="transcript-tools screen-only"
        role="search"
        onSubmit={(event) => {
          event.preventDefault();
          goToHit(1);
        }}
      >
        <label>
          <span class="hidden">{text.search}</span>
          <input
            type="search"
            value={query}
            placeholder={text.search}
            onInput={(event) => setQuery(event.currentTarget.value)}
          />
        </label>
        <span role="status" class="hint">
          {wanted && text.found(hits.length === 0 ? 0 : hit + 1, hits.length)}
        </span>
        <button type="button" disabled={hits.length === 0} aria-label={text.previous} onClick={() => goToHit(-1)}>
          ↑
        </button>
        <button type="submit" disabled={hits.length === 0} aria-label={text.next}>
          ↓
        </button>
        <label class="check">
          <input type="checkbox" checked={follow} onChange={(event) => setFollow(event.currentTarget.checked)} />
          {text.follow}
        </label>
      </form>
      <div class="transcript-scroll" ref={scroller} tabIndex={-1} onKeyDown={moved} onFocusIn={entered}>
        {printing ? (
          sentences.map((sentence, index) => !isRemoved(sentence) && row(index))
        ) : (
          <div role="list" aria-label={text.title} class="rows" style={{ height: `${list.getTotalSize()}px` }}>
            {list.getVirtualItems().map(({ index, start }) => (
              <div
                key={index}
                class="row"
                role="listitem"
                aria-setsize={sentences.length}
                aria-posinset={index + 1}
                data-index={index}
                ref={list.measureElement}
                style={{ transform: `translateY(${start}px)` }}
              >
                {row(index)}
              </div>
            ))}
          </div>
        )}
      </div>
    </section>
  );
}
