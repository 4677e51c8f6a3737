import type { MeetingScores } from "meetra-client";
import { Explained } from "../parts/explained.js";
import { ErrorNotice } from "../parts/error_notice.js";
import { decimal, percent, score as scoreText } from "../parts/numbers.js";
import { duration } from "../parts/time.js";
import { Waiting } from "../parts/waiting.js";
import { goTo, linkTo } from "../route.js";
import { useMetrics } from "../server/metrics.js";
import type { Metrics } from "../server/metrics.js";
import { server } from "../server/server.js";
import { useAnswer } from "../server/use_answer.js";
import { text } from "../strings/overtime.js";
import { heldText } from "./held.js";
import { knownError, knownPartError } from "./known_error.js";
import { driverName, SCORES, scoreOf } from "./scores.js";

/** A value of both meetings. */
interface Row {
  readonly metric: string;
  readonly label: string;
  readonly values: readonly [number | undefined, number | undefined];
  readonly show: (value: number) => string;
  /** In the unit of `values`; undefined where it is not known. */
  readonly error?: number | undefined;
  /** Both were computed by the same definition. */
  readonly comparable?: boolean;
}

/** Two meetings, number by number. */
export function Comparison({ hashes: [first, second] }: { hashes: readonly [string, string] }) {
  const answer = useAnswer(
    async (signal) => (await server.listMeetingScores({ file_hashes: [first, second] }, { signal })).meetings,
    [first, second],
  );
  const { value: metrics } = useMetrics();
  return (
    <>
      <h1>{text.compare.title}</h1>
      <p class="screen-only">
        <a href={linkTo("/overtime")}>{text.compare.back}</a>
      </p>
      <Waiting answer={answer}>
        {(meetings) => {
          const [one, other] = [first, second].map((hash) => meetings.find((meeting) => meeting.file_hash === hash));
          return one && other ? <Both one={one} other={other} metrics={metrics} /> : <ErrorNotice message={text.compare.missing} />;
        }}
      </Waiting>
    </>
  );
}

function Both({ one, other, metrics }: { one: MeetingScores; other: MeetingScores; metrics: Metrics | undefined }) {
  const scores = SCORES.map(
    (score): Row => ({
      metric: score.name,
      label: score.label,
      values: [scoreOf(one, score), scoreOf(other, score)],
      show: scoreText,
      error: knownError(metrics, score.name),
      comparable: !score.version || one.definition_versions[score.version] === other.definition_versions[score.version],
    }),
  );
  return (
    <>
      <button type="button" onClick={() => goTo("/overtime", { compare: `${other.file_hash},${one.file_hash}` }, true)}>
        {text.compare.swap}
      </button>
      <Rows caption={text.compare.scores} rows={scores} meetings={[one, other]} />
      <Rows caption={text.compare.drivers} rows={driverRows(one, other, metrics)} meetings={[one, other]} />
      <Rows caption={text.compare.flow} rows={flowRows(one, other, metrics)} meetings={[one, other]} />
      <h2>{text.compare.people}</h2>
      <div class="both">
        {[one, other].map((meeting) => (
          <section key={meeting.file_hash} class="card" aria-label={meeting.name}>
            <h3>
              <bdi>{meeting.name}</bdi>
            </h3>
            <ul>
              {meeting.participants.map(({ id, alias, meeting_speaking_percentage: share }) => (
                <li key={id}>
                  <bdi>{alias}</bdi>: {share === undefined ? text.notMeasuredLong : `${scoreText(share)} %`}
                </li>
              ))}
            </ul>
          </section>
        ))}
      </div>
    </>
  );
}

function driverRows(one: MeetingScores, other: MeetingScores, metrics: Metrics | undefined): Row[] {
  const names = new Set([...one.drivers, ...other.drivers].map(({ name }) => name).filter((name) => name.includes(".")));
  const metricOf = { balance: "balance_score", interaction: "meeting_interaction_score", energy: "meeting_energy" } as Record<string, string>;
  return [...names].map((name) => {
    const [score = "", part = ""] = name.split(".");
    const metric = metricOf[score] ?? "quality_score";
    return {
    metric,
    error: knownPartError(metrics, metric, part),
    label: driverName(name),
    values: [one, other].map(({ drivers }) => drivers.find((driver) => driver.name === name)?.score) as unknown as Row["values"],
    show: scoreText,
    };
  });
}

function flowRows(one: MeetingScores, other: MeetingScores, metrics: Metrics | undefined): Row[] {
  const show = {
    silence_ms: secondsText,
    longest_silence_ms: secondsText,
    overlap_ratio: percent,
    turns_per_minute: decimal,
    response_latency_ms: (ms: number) => `${scoreText(ms)} ms`,
  };
  return (Object.keys(show) as (keyof typeof show)[]).map((name) => ({
    metric: name,
    label: text.flow[name],
    values: [one.flow?.[name], other.flow?.[name]],
    show: show[name],
    error: knownError(metrics, name),
  }));
}

/** A length, with tenths of seconds where those make a difference. */
function secondsText(ms: number): string {
  return ms < 60_000 ? `${decimal(ms / 1000)} s` : duration(ms);
}

function Rows({ caption, rows, meetings }: { caption: string; rows: readonly Row[]; meetings: readonly MeetingScores[] }) {
  return (
    <div class="wide" role="region" aria-label={caption} tabIndex={0}>
      <table class="side-by-side compared">
        <caption>{caption}</caption>
        <thead>
          <tr>
            <th scope="col">{text.compare.metric}</th>
            {meetings.map((meeting) => (
              <th key={meeting.file_hash} scope="col">
                <a href={linkTo(`/meetings/${meeting.file_hash}`)}>
                  <bdi>{meeting.name}</bdi>
                </a>
                <small>{heldText(meeting)}</small>
              </th>
            ))}
            <th scope="col">{text.compare.difference}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.label + row.metric}>
              <th scope="row">
                <Explained metric={row.metric} name={row.label} />
              </th>
              {row.values.map((value, index) => (
                <td key={index} class="number">
                  {value === undefined ? text.notMeasuredLong : row.show(value)}
                </td>
              ))}
              <td class="number">
                <Difference row={row} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Difference({ row: { values, show, error, comparable = true } }: { row: Row }) {
  const [one, other] = values;
  if (one === undefined || other === undefined) return <>{text.notMeasured}</>;
  if (!comparable) return <small>{text.compare.versions}</small>;
  const difference = other - one;
  const written = show(Math.abs(difference));
  const sign = written === show(0) ? "" : difference > 0 ? "+" : "−";
  return (
    <>
      {sign}
      {written}
      <small>
        {written === show(0) ? "" : error === undefined ? text.compare.unknownError : Math.abs(difference) < error ? text.compare.within : text.compare.beyond}
      </small>
    </>
  );
}
