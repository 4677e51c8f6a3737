import type { MeetingParticipant, MeetingScores } from "meetra-client";
import { Explained } from "../parts/explained.js";
import { optional, score as scoreText } from "../parts/numbers.js";
import { duration } from "../parts/time.js";
import { linkTo } from "../route.js";
import { text } from "../strings/overtime.js";
import { heldText } from "./held.js";
import { TrendChart } from "./trend_chart.js";

interface Column {
  readonly metric: string;
  readonly label: string;
  readonly show: (part: MeetingParticipant) => string | undefined;
}

const COLUMNS: readonly Column[] = [
  { metric: "meeting_speaking_percentage", label: text.person.share, show: (part) => optional(part.meeting_speaking_percentage, shareText) },
  { metric: "turns", label: text.person.turns, show: (part) => optional(part.turns, scoreText) },
  { metric: "longest_monologue_ms", label: text.person.monologue, show: (part) => optional(part.longest_monologue_ms, duration) },
  { metric: "words_per_minute", label: text.person.pace, show: (part) => optional(part.words_per_minute, scoreText) },
  { metric: "questions", label: text.person.questions, show: (part) => optional(part.questions, scoreText) },
  { metric: "interruptions", label: text.person.interruptions, show: (part) => optional(part.interruptions, scoreText) },
  { metric: "microphone_quality", label: text.person.microphone, show: (part) => optional(part.microphone_quality, scoreText) },
];

// Words a minute of speaking: English is spoken at 120 to 200.
const CHARTS = [
  { metric: "meeting_speaking_percentage", label: text.person.share, unit: " %", high: 100 },
  { metric: "words_per_minute", label: text.person.pace, unit: "", high: 300 },
] as const;

function shareText(share: number): string {
  return `${scoreText(share)} %`;
}

/** One person's part in each of their meetings. */
export function Person({ name, voice, meetings }: { name: string; voice: string; meetings: readonly MeetingScores[] }) {
  const parts = meetings.flatMap((meeting) => {
    const part = meeting.participants.find((participant) => participant.voice === voice);
    return part ? [{ meeting, part }] : [];
  });
  return (
    <>
      <h2>
        <bdi>{name}</bdi> {text.person.title}
      </h2>
      <div class="trends">
        {CHARTS.map(({ metric, label, unit, high }) => (
          <figure class="card" key={metric}>
            <figcaption>
              <h3>
                <Explained metric={metric} name={label} />
              </h3>
            </figcaption>
            <TrendChart
              label={label}
              high={high}
              points={[...parts].reverse().map(({ meeting, part }) => ({
                at: Date.parse(meeting.held_at),
                value: part[metric],
                title: text.point(meeting.name, heldText(meeting), `${scoreText(part[metric] ?? 0)}${unit}`),
              }))}
            />
          </figure>
        ))}
      </div>
      <div class="wide" role="region" aria-label={text.person.parts(name)} tabIndex={0}>
        <table class="side-by-side">
          <thead>
            <tr>
              <th scope="col">{text.meeting}</th>
              {COLUMNS.map(({ metric, label }) => (
                <th key={metric} scope="col">
                  <Explained metric={metric} name={label} />
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {parts.map(({ meeting, part }) => (
              <tr key={meeting.file_hash}>
                <th scope="row">
                  <a href={linkTo(`/meetings/${meeting.file_hash}`)}>
                    <bdi>{meeting.name}</bdi>
                  </a>
                  <small>{heldText(meeting)}</small>
                </th>
                {COLUMNS.map(({ metric, show }) => (
                  <td key={metric} class="number">
                    {show(part) ?? <NotMeasured />}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

function NotMeasured() {
  return (
    <>
      <span aria-hidden="true">{text.notMeasured}</span>
      <span class="hidden">{text.notMeasuredLong}</span>
    </>
  );
}
