import type { LiveTurn } from "meetra-client";
import { useEffect, useRef, useState } from "preact/hooks";
import { memo } from "../parts/memo.js";
import { clock } from "../parts/time.js";
import { text } from "../strings/live.js";
import type { LiveState } from "./live_state.js";

// Of a long meeting the newest are shown; more on demand.
const SHOWN = 150;
const NEAR_PX = 60;

/** The turns as they grow and are revised. The newest stays in sight until somebody scrolls away from it. */
export function Turns({ state }: { state: LiveState }) {
  const { turns, settled } = state;
  const [more, setMore] = useState(0);
  const [following, setFollowing] = useState(true);
  const box = useRef<HTMLDivElement>(null);
  const hidden = Math.max(0, turns.length - SHOWN - more);
  useEffect(() => {
    if (following && box.current) box.current.scrollTop = box.current.scrollHeight;
  });
  const scrolled = (): void => {
    const { scrollTop, scrollHeight, clientHeight } = box.current ?? { scrollTop: 0, scrollHeight: 0, clientHeight: 0 };
    setFollowing(scrollHeight - clientHeight - scrollTop < NEAR_PX);
  };
  return (
    <section class="card live-turns" aria-labelledby="live-turns">
      <h2 id="live-turns">{text.turns.title}</h2>
      {!state.finished && <p class="hint">{text.turns.legend}</p>}
      {turns.length === 0 && <p>{text.turns.empty}</p>}
      <div class="live-scroll" ref={box} onScroll={scrolled} tabIndex={0} role="group" aria-labelledby="live-turns">
        {hidden > 0 && (
          <button type="button" class="quiet" onClick={() => (setFollowing(false), setMore(more + SHOWN))}>
            {text.turns.earlier(hidden)}
          </button>
        )}
        <ol class="live-turn-list">
          {turns.slice(hidden).map((turn) => (
            <Turn key={turn.segment_id} turn={turn} name={state.name(turn)} colour={state.colour(turn.speaker_id)} />
          ))}
        </ol>
      </div>
      {!following && (
        <button type="button" class="live-newest" onClick={() => setFollowing(true)}>
          {text.turns.newest}
        </button>
      )}
      <p class="hidden" role="log" aria-live="polite">
        {settled && <span key={settled.segment_id}>{`${state.name(settled)}: ${wordsOf(settled)}`}</span>}
      </p>
    </section>
  );
}

const wordsOf = (turn: LiveTurn): string => turn.words.map((word) => word.text).join(" ");

interface TurnProps {
  readonly turn: LiveTurn;
  readonly name: string;
  readonly colour: string;
}

/** One turn; drawn again only when it was revised, as many others are while it stays. */
const Turn = memo(function Turn({ turn, name, colour }: TurnProps) {
  const { firm, soft } = split(turn);
  return (
    <li class={`live-turn ${colour}`} data-state={turn.state} data-segment={turn.segment_id}>
      <span class="live-who">
        <bdi>{name}</bdi> <time class="hint">{clock(turn.start_ms)}</time>
      </span>
      <span class="live-words" lang={turn.language || undefined} dir="auto">
        {firm} {soft && <span class="live-soft" title={text.turns.unsure}>{soft}</span>}
        {!firm && !soft && text.turns.noWords}
      </span>
    </li>
  );
});

/** The words that are final, and those after them. */
function split(turn: LiveTurn): { firm: string; soft: string } {
  const words = turn.words.map((word) => word.text);
  if (turn.state === "LIVE_TURN_STATE_FINAL") return { firm: words.join(" "), soft: "" };
  const found = turn.words.findIndex((word) => word.stability !== "LIVE_WORD_STABILITY_FINAL");
  const first = found < 0 ? words.length : found;
  return { firm: words.slice(0, first).join(" "), soft: words.slice(first).join(" ") };
}
