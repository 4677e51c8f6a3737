import { clock } from "../parts/time.js";
import { text } from "../strings/live.js";
import type { LiveState } from "./live_state.js";

const WINDOW_MS = 300_000;
// A short meeting fills at least so much of it at first.
const LEAST_MS = 60_000;

/** Who spoke when in the last minutes, a line for each speaker. */
export function Timeline({ state }: { state: LiveState }) {
  const end = Math.max(state.throughMs, LEAST_MS);
  const start = Math.max(0, end - WINDOW_MS);
  const lanes = new Map<string, { name: string; parts: [number, number][]; ms: number }>();
  for (const turn of state.turns) {
    if (turn.end_ms <= start) continue;
    const lane = lanes.get(turn.speaker_id) ?? { name: state.name(turn), parts: [], ms: 0 };
    const from = Math.max(turn.start_ms, start);
    lane.parts.push([from - start, turn.end_ms - from]);
    lane.ms += turn.end_ms - from;
    lanes.set(turn.speaker_id, lane);
  }
  const said = [...lanes.values()].map(({ name, ms }) => text.timeline.speaker(name, Math.round(ms / 1000))).join(", ");
  return (
    <section class="card" aria-labelledby="live-timeline">
      <h2 id="live-timeline">{text.timeline.title}</h2>
      <div class="live-lanes" role="img" aria-label={text.timeline.described(said || text.timeline.nobody)}>
        {[...lanes].map(([id, { name, parts }]) => (
          <div key={id} class={`live-lane ${state.colour(id)}`}>
            <span>
              <bdi>{name}</bdi>
            </span>
            <svg class="live-bar" viewBox={`0 0 ${end - start} 1`} preserveAspectRatio="none">
              {parts.map(([x, width]) => (
                <rect key={x} class="live-fill" x={x} width={width} height="1" />
              ))}
            </svg>
          </div>
        ))}
      </div>
      <p class="hint live-span">
        <span>{clock(start)}</span>
        <span>{clock(end)}</span>
      </p>
    </section>
  );
}
