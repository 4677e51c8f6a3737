import type { MeetingScores } from "meetra-client";
import { Explained } from "../parts/explained.js";
import { score as scoreText } from "../parts/numbers.js";
import { useMetrics } from "../server/metrics.js";
import { text } from "../strings/overtime.js";
import { heldText } from "./held.js";
import { knownError } from "./known_error.js";
import { SCORES, scoreOf, trendOf } from "./scores.js";
import type { Trend } from "./scores.js";
import { TrendChart } from "./trend_chart.js";

/** How each score has changed, as a chart and in words. */
export function Trends({ meetings }: { meetings: readonly MeetingScores[] }) {
  const { value: metrics } = useMetrics();
  const inTime = [...meetings].reverse();
  return (
    <div class="trends">
      {SCORES.map((score) => {
        const values = inTime.map((meeting) => scoreOf(meeting, score));
        const trend = trendOf(values.filter((value) => value !== undefined));
        return (
          <figure class="card" key={score.name}>
            <figcaption>
              <h3>
                <Explained metric={score.name} name={score.label} />
              </h3>
              <p>{trend ? trendText(trend, knownError(metrics, score.name)) : text.notMeasuredLong}</p>
            </figcaption>
            <TrendChart
              label={score.label}
              points={inTime.map((meeting, index) => {
                const value = values[index];
                const date = heldText(meeting);
                return { at: Date.parse(meeting.held_at), value, title: text.point(meeting.name, date, scoreText(value ?? 0)) };
              })}
            />
          </figure>
        );
      })}
    </div>
  );
}

/** A trend in words, and whether it is more than what the score may be wrong by. */
export function trendText({ mean, measured, halves }: Trend, error: number | undefined): string {
  const average = text.average(scoreText(mean), measured);
  if (!halves) return average;
  const [earlier, later] = halves;
  const change = `${average} ${text.change(scoreText(earlier), scoreText(later))}`;
  if (error === undefined) return change;
  return `${change} ${(Math.abs(later - earlier) < error ? text.withinError : text.beyondError)(scoreText(error))}`;
}
