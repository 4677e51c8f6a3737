import type { Topic } from "meetra-client";
import { useMemo, useRef } from "preact/hooks";
import { text } from "../../strings/timeline.js";
import { colourOf, useMeeting } from "../meeting_context.js";
import { usePlayer } from "../player/player.js";
import type { Player } from "../player/player.js";
import { overlaps, rectangles } from "./spans.js";
import type { Span } from "./spans.js";
import "./timeline.css";

interface TimelineProps {
  readonly spans: ReadonlyMap<string, Span[]>;
  readonly topics: readonly Topic[];
  /** Levels of the audio over the whole meeting, 0..1; none where there is no audio. */
  readonly peaks: readonly number[];
}

const LANE = 14;
const ROW = 18;

/** Who speaks when, a lane each; where several speak at once is marked above. A click goes there. */
export function Timeline({ spans, topics, peaks }: TimelineProps) {
  const { people, durationMs, player } = useMeeting();
  const picture = useRef<HTMLDivElement>(null);
  const drawn = useMemo(() => {
    const lanes = [...people.values()].map((person) => ({
      person,
      path: rectangles(spans.get(person.id) ?? [], durationMs, 2, LANE),
    }));
    const both = overlaps(spans);
    const borders = topics.slice(1).map(({ start }) => `M${((start / durationMs) * 1000).toFixed(2)} 0v${ROW}`);
    return { lanes, both, overlap: rectangles(both, durationMs, 2, LANE), borders: borders.join("") };
  }, [people, spans, topics, durationMs]);
  const seek = (event: MouseEvent): void => {
    const box = picture.current?.getBoundingClientRect();
    if (box) player.seek(((event.clientX - box.left) / box.width) * durationMs);
  };
  return (
    <div class="timeline">
      <div class="timeline-names">
        {drawn.both.length > 0 && <span class="hint">{text.overlap}</span>}
        {drawn.lanes.map(({ person }) => (
          <bdi key={person.id} title={person.alias}>
            {person.alias}
          </bdi>
        ))}
      </div>
      {/* For the mouse alone: the player's slider goes to the same places, the table of talk share says the same. */}
      <div ref={picture} class="timeline-picture" onClick={seek} aria-hidden="true">
        {peaks.length > 0 && <Peaks peaks={peaks} />}
        {drawn.both.length > 0 && (
          <svg class="lane overlap" viewBox={`0 0 1000 ${ROW}`} preserveAspectRatio="none">
            <path d={drawn.overlap} />
          </svg>
        )}
        {drawn.lanes.map(({ person, path }) => (
          <svg key={person.id} class="lane" viewBox={`0 0 1000 ${ROW}`} preserveAspectRatio="none">
            <path class="border" d={drawn.borders} />
            <path class={colourOf(person)} d={path} />
          </svg>
        ))}
        <Playhead player={player} durationMs={durationMs} />
      </div>
    </div>
  );
}

const WIDTH = 1000;

function Peaks({ peaks }: { peaks: readonly number[] }) {
  const step = WIDTH / peaks.length;
  const top = peaks.map((peak, index) => `${(index * step).toFixed(1)} ${(20 - 19 * peak).toFixed(1)}`);
  const bottom = peaks.map((peak, index) => `${(index * step).toFixed(1)} ${(20 + 19 * peak).toFixed(1)}`).reverse();
  return (
    <svg class="lane peaks" viewBox={`0 0 ${WIDTH} 40`} preserveAspectRatio="none">
      <path d={`M${[...top, ...bottom].join("L")}z`} />
    </svg>
  );
}

const atTime = ({ timeMs }: Player): number => timeMs;

function Playhead({ player, durationMs }: { player: Player; durationMs: number }) {
  const ms = usePlayer(player, atTime);
  const x = durationMs ? (ms / durationMs) * 1000 : 0;
  return (
    <svg class="playhead" viewBox="0 0 1000 1" preserveAspectRatio="none">
      <line x1={x} x2={x} y1={0} y2={1} />
    </svg>
  );
}
