import type { MeetingContext as Context, NoteLine, TextReliability } from "meetra-client";
import type { ComponentChildren } from "preact";
import { LongList } from "../../parts/long_list.js";
import { About } from "../../parts/measured.js";
import { percent } from "../../parts/numbers.js";
import { clockMs } from "../../parts/time.js";
import { server } from "../../server/server.js";
import { useAnswer } from "../../server/use_answer.js";
import { text } from "../../strings/texts.js";
import { useMeeting } from "../meeting_context.js";
import { Moment } from "./moment.js";
import { Cited } from "./notes.js";
import { PersonName } from "./person_name.js";
import { Section } from "./section.js";

const MEETING = "Meeting summary";

/** Summaries, key points and questions, each with how far it can be trusted. */
export function Texts({ context }: { context: Context }) {
  const { fileHash, round, people } = useMeeting();
  const details = useAnswer(
    async (signal) => {
      const asked = { file_hash: fileHash, include_details: true };
      const [summaries, points, questions] = await Promise.all([
        server.getTextSummaries(asked, { signal }),
        server.getKeyPoints(asked, { signal }),
        server.getQuestions(asked, { signal }),
      ]);
      return { summaries, points, questions };
    },
    [fileHash, round],
  ).value;
  const { [MEETING]: whole = [], ...bySpeaker } = context.text_summary;
  return (
    <>
      <Section title={text.summary} beside={<Reliable metric="text_summary" name={text.summary} of={details?.summaries.details} />}>
        <Paragraphs lines={whole} notes={context.notes?.summary} />
        <BySpeaker lists={bySpeaker} order={[...people.keys()]} title={text.summariesOfSpeakers} />
      </Section>
      <Section title={text.keyPoints} beside={<Reliable metric="key_points" name={text.keyPoints} of={details?.points.details} />}>
        <BySpeaker lists={context.key_points} order={[...people.keys()]} />
      </Section>
      <Section title={text.questions} beside={<Reliable metric="questions" name={text.questions} of={details?.questions.details} />}>
        {context.questions.length === 0 ? (
          <p>{details?.questions.reason ?? text.noQuestions}</p>
        ) : (
          <LongList
            items={context.questions.map(({ speaker, question, start_timestamp }) => (
              <li key={`${start_timestamp}${question}`}>
                <Moment ms={clockMs(start_timestamp)} /> <PersonName id={speaker} />
                {": "}
                <span dir="auto">{question}</span>
              </li>
            ))}
          />
        )}
      </Section>
    </>
  );
}

/** Lines, with the moments of the sentences that they rest on where notes name them. */
function Paragraphs({ lines, notes = [] }: { lines: readonly string[]; notes?: readonly NoteLine[] | undefined }) {
  if (lines.length === 0) return <p>{text.nothing}</p>;
  return (
    <ul class="lines">
      {lines.map((line) => {
        const note = notes.find((one) => one.text === line);
        return (
          <li key={line} dir="auto">
            {line} {note && <Cited line={note} />}
          </li>
        );
      })}
    </ul>
  );
}

interface BySpeakerProps {
  readonly lists: Readonly<Record<string, readonly string[]>>;
  readonly order: readonly string[];
  readonly title?: string;
}

function BySpeaker({ lists, order, title }: BySpeakerProps): ComponentChildren {
  const known = order.filter((id) => (lists[id] ?? []).length > 0);
  if (known.length === 0) return title ? null : <p>{text.nothing}</p>;
  const all = known.map((id) => (
    <div key={id}>
      <h3>
        <PersonName id={id} />
      </h3>
      <Paragraphs lines={lists[id] ?? []} />
    </div>
  ));
  return title ? (
    <details open={false}>
      <summary>{title}</summary>
      {all}
    </details>
  ) : (
    all
  );
}

/** In words how far a text can be trusted, with what it stands on. */
function Reliable({ metric, name, of }: { metric: string; name: string; of: TextReliability | undefined }) {
  if (!of) return null;
  const { reliable, mean_word_confidence: mean, method, advice, definition_version: version, notice } = of;
  return (
    <span class="trust">
      <span class={reliable ? "good" : "doubt"}>{reliable ? text.reliable : text.unreliable}</span>
      <About
        metric={metric}
        name={name}
        value=""
        reason={[text.methods[method] ?? method, advice, notice].filter(Boolean).join(" ")}
        facts={[
          [text.trust, reliable ? text.reliable : text.unreliable],
          ...(mean === undefined ? [] : ([[text.confidence, percent(mean)]] as const)),
          [text.version, version],
        ]}
      />
    </span>
  );
}
