import type { Topic } from "meetra-client";
import { useMemo, useRef } from "preact/hooks";
import { clock } from "../../parts/time.js";
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
const GAP = 4;

/** Who speaks when, a lane each; where several speak at once is marked above. A click goes there. */
export function Timeline({ spans, topics, peaks }: TimelineProps) {
  const { people, durationMs, player } = useMeeting();
  const picture = useRef<HTMLDivElement>(null);
  const drawn = useMemo(() => {
    const lanes = [...people.values()].map((person, index) => ({
      person,
      path: rectangles(spans.get(person.id) ?? [], durationMs, index * (LANE + GAP), LANE),
    }));
    const both = overlaps(spans);
    return { lanes, both, overlap: rectangles(both, durationMs, 0, LANE) };
  }, [people, spans, durationMs]);
  const height = drawn.lanes.length * (LANE + GAP);
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
      {/* For the mouse alone: the slider below goes to the same places, the table of talk share says the same. */}
      <div ref={picture} class="timeline-picture" onClick={seek} aria-hidden="true">
        {peaks.length > 0 && <Peaks peaks={peaks} />}
        {drawn.both.length > 0 && (
          <svg class="lane overlap" viewBox={`0 0 1000 ${LANE}`} preserveAspectRatio="none">
            <path d={drawn.overlap} />
          </svg>
        )}
        <svg class={`lanes of-${Math.min(12, drawn.lanes.length)}`} viewBox={`0 0 1000 ${height}`} preserveAspectRatio="none">
          {topics.slice(1).map(({ start }) => (
            <line
              key={start}
              class="border"
              x1={(start / durationMs) * 1000}
              x2={(start / durationMs) * 1000}
              y1={0}
              y2={height}
            />
          ))}
          {drawn.lanes.map(({ person, path }) => (
            <path key={person.id} class={colourOf(person)} d={path} />
          ))}
        </svg>
        <Playhead player={player} durationMs={durationMs} />
      </div>
      <Slider player={player} durationMs={durationMs} />
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
// A line that moves by less than a pixel is not drawn again.
const atTenth = ({ timeMs }: Player): number => Math.floor(timeMs / 100);

function Playhead({ player, durationMs }: { player: Player; durationMs: number }) {
  const ms = usePlayer(player, atTime);
  const x = durationMs ? (ms / durationMs) * 1000 : 0;
  return (
    <svg class="playhead" viewBox="0 0 1000 1" preserveAspectRatio="none">
      <line x1={x} x2={x} y1={0} y2={1} />
    </svg>
  );
}

function Slider({ player, durationMs }: { player: Player; durationMs: number }) {
  const tenth = usePlayer(player, atTenth);
  return (
    <input
      class="timeline-slider screen-only"
      type="range"
      min={0}
      max={Math.ceil(durationMs / 100)}
      step={10}
      value={tenth}
      aria-label={text.position}
      aria-valuetext={text.positionOf(clock(tenth * 100), clock(durationMs))}
      onInput={(event) => player.seek(Number(event.currentTarget.value) * 100)}
    />
  );
}
