import { Explained } from "../parts/explained.js";
import { clock } from "../parts/time.js";
import { text } from "../strings/live.js";
import type { LiveState, Sample } from "./live_state.js";
import { Shares } from "./shares.js";

/** Who has the floor, the scores so far and their course, and each speaker's share of the speaking time. */
export function Scores({ state }: { state: LiveState }) {
  const { insights, samples } = state;
  return (
    <section class="card" aria-labelledby="live-scores">
      <h2 id="live-scores">{text.scores.title}</h2>
      {!state.finished && <Floor state={state} />}
      {!insights && <p class="hint">{text.scores.waiting}</p>}
      {insights && (
        <>
          <dl class="live-scores">
            <Score
              metric="balance_score"
              name={text.scores.balance}
              value={insights.balance_score}
              course={samples.map((s) => s.balance)}
            />
            <Score
              metric="meeting_interaction_score"
              name={text.scores.interaction}
              value={insights.interaction_score}
              course={samples.map((s) => s.interaction)}
            />
            <Score
              metric="meeting_energy"
              name={text.scores.energy}
              value={insights.energy_score}
              course={samples.map((s) => s.energy)}
            />
            <Score
              metric="sentiment_score"
              name={text.scores.sentiment}
              value={insights.sentiment_score}
              missing={text.scores.sentimentMissing}
              course={samples.flatMap(({ sentiment }: Sample) => (sentiment === undefined ? [] : [sentiment]))}
            />
            <div>
              <dt>
                <Explained metric="interruptions" name={text.scores.interruptions} />
              </dt>
              <dd>{insights.interruptions ?? <span class="hint">{text.scores.interruptionsMissing}</span>}</dd>
            </div>
          </dl>
          <Shares state={state} speakers={insights.speakers} />
          <p class="hint">{text.scores.through(clock(insights.through_ms))}</p>
        </>
      )}
    </section>
  );
}

/** Who speaks now; else who spoke last. */
function Floor({ state }: { state: LiveState }) {
  const speaking = [...state.turns].reverse().find((turn) => turn.state === "LIVE_TURN_STATE_PARTIAL");
  const holder = speaking?.speaker_id ?? state.insights?.floor_speaker_id;
  const name = speaking ? state.name(speaking) : holder ? state.names.get(holder) : undefined;
  return (
    <p class={`live-floor ${state.colour(holder ?? "")}`}>
      {text.scores.floor}: <strong><bdi>{name ?? text.scores.nobody}</bdi></strong>
      {state.silentSinceMs !== undefined && <span class="hint"> · {text.scores.silence}</span>}
    </p>
  );
}

interface ScoreProps {
  /** Its name in the catalogue of metrics. */
  readonly metric: string;
  readonly name: string;
  readonly value: number | undefined;
  readonly missing?: string;
  readonly course: readonly number[];
}

function Score({ metric, name, value, missing, course }: ScoreProps) {
  const points = course.map((score, index) => `${(index * 100) / Math.max(1, course.length - 1)},${100 - score}`);
  return (
    <div>
      <dt>
        <Explained metric={metric} name={name} />
      </dt>
      <dd>
        {value === undefined ? (
          <span class="hint">{missing}</span>
        ) : (
          <>
            <span class="hidden">{text.scores.of(String(Math.round(value)))}</span>
            <span aria-hidden="true">{Math.round(value)}</span>
          </>
        )}
      </dd>
      {course.length > 1 && (
        <svg class="live-course" viewBox="0 -5 100 110" preserveAspectRatio="none" aria-hidden="true">
          <polyline points={points.join(" ")} />
        </svg>
      )}
    </div>
  );
}
