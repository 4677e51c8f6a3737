import type { ConversationFlow, PeriodDynamics } from "meetra-client";
import { useState } from "preact/hooks";
import { LineChart } from "../../parts/charts/line_chart.js";
import { About } from "../../parts/measured.js";
import { Waiting } from "../../parts/waiting.js";
import { server } from "../../server/server.js";
import { useAnswer } from "../../server/use_answer.js";
import { text } from "../../strings/over_time.js";
import { useMeeting } from "../meeting_context.js";
import { Section } from "./section.js";

// Seconds that a period may have, and how many periods make a picture.
const PERIODS = [10, 30, 60, 120, 300, 600] as const;
const WANTED = 24;
// Worst to best, evenly from 0 to 100.
const SENTIMENTS = ["Negative", "Somewhat Negative", "Neutral", "Somewhat Positive", "Positive"];

/** Energy, interaction, sentiment and balance as they change. */
export function OverTime({ flow }: { flow: ConversationFlow }) {
  const { fileHash, round, durationMs, player } = useMeeting();
  const allowed = PERIODS.filter((seconds) => seconds * 1000 <= durationMs || seconds === 300);
  const fitting = allowed.find((seconds) => durationMs / 1000 / seconds <= WANTED) ?? 300;
  const [period, setPeriod] = useState<number>(fitting);
  const dynamics = useAnswer(
    (signal) => server.getMeetingDynamics({ file_hash: fileHash, period_seconds: period }, { signal }),
    [fileHash, round, period],
  );
  const seek = (ms: number): void => player.seek(ms);
  return (
    <Section
      title={text.title}
      beside={
        <label class="screen-only">
          {`${text.period} `}
          <select value={period} onChange={(event) => setPeriod(Number(event.currentTarget.value))}>
            {allowed.map((seconds) => (
              <option key={seconds} value={seconds}>
                {text.seconds(seconds)}
              </option>
            ))}
          </select>
        </label>
      }
    >
      <p class="abouts screen-only">
        <About metric="energy_score" name={text.energy} value="" reason={text.perPeriod} /> {text.energy}{" "}
        <About metric="meeting_interaction_score" name={text.interaction} value="" reason={text.perPeriod} /> {text.interaction}{" "}
        <About metric="sentiment" name={text.sentiment} value="" reason={text.sentimentScale} /> {text.sentiment}
      </p>
      <Waiting answer={dynamics}>
        {({ dynamics: periods }) => (
          <>
            <LineChart
              title={text.dynamics}
              periods={periods}
              seek={seek}
              series={[
                { name: text.energy, values: periods.map(({ energy_score: value }) => value) },
                { name: text.interaction, values: periods.map(({ interactions_score: value }) => value) },
                {
                  name: text.sentiment,
                  values: periods.map(sentimentLevel),
                  labels: periods.map(({ sentiment }) => sentiment),
                },
              ]}
            />
            {periods.some(({ sentiment }) => sentiment === undefined) && (
              <p class="hint">{periods.find(({ reason }) => reason)?.reason}</p>
            )}
          </>
        )}
      </Waiting>
      {flow.balance_over_time.length > 1 && (
        <>
          <LineChart
            title={text.balance}
            // A window is 150 s long, the next begins 30 s later: its point is its middle.
            periods={flow.balance_over_time.map(({ start, end }, index, all) => ({
              start: middle(start, end),
              end: middle(all[index + 1]?.start ?? end, all[index + 1]?.end ?? end),
            }))}
            seek={seek}
            series={[{ name: text.balanceScore, values: flow.balance_over_time.map(({ balance }) => balance) }]}
          />
          <p class="hint">
            {text.balanceWindows} <About metric="balance_over_time" name={text.balance} value="" reason={text.balanceWindows} />
          </p>
        </>
      )}
    </Section>
  );
}

function middle(start: number, end: number): number {
  return (start + end) / 2;
}

function sentimentLevel({ sentiment }: PeriodDynamics): number | undefined {
  const level = sentiment === undefined ? -1 : SENTIMENTS.indexOf(sentiment);
  return level < 0 ? undefined : level * 25;
}
