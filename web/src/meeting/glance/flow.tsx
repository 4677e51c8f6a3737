import type { ConversationFlow, SpeakerFlow } from "meetra-client";
import { About } from "../../parts/measured.js";
import { decimal, optional, percent } from "../../parts/numbers.js";
import { duration } from "../../parts/time.js";
import { text } from "../../strings/flow.js";
import { PersonName } from "./person_name.js";
import { Section } from "./section.js";

/** Turns, pauses, overlap and interruptions, of the meeting and of each speaker. */
export function Flow({ flow }: { flow: ConversationFlow }) {
  const latency = (value: number | undefined): string | undefined => value?.toString().concat(" ms");
  const facts: [metric: string, name: string, value: string | undefined][] = [
    ["silence_ms", text.silence, duration(flow.silence_ms)],
    ["longest_silence_ms", text.longestSilence, duration(flow.longest_silence_ms)],
    ["overlap_ratio", text.overlap, optional(flow.overlap_ratio, percent)],
    ["turns_per_minute", text.turns, decimal(flow.turns_per_minute)],
    ["response_latency_ms", text.latency, latency(flow.response_latency_ms)],
    ["response_latency_ms", text.latencyFast, latency(flow.response_latency_p10_ms)],
    ["response_latency_ms", text.latencySlow, latency(flow.response_latency_p90_ms)],
  ];
  return (
    <Section title={text.title}>
      <dl class="facts">
        {facts.map(([metric, name, value]) => (
          <div key={name}>
            <dt>
              {name} <About metric={metric} name={name} value={value} reason={reasonOf(metric, value)} />
            </dt>
            <dd>{value ?? text.notMeasured}</dd>
          </div>
        ))}
      </dl>
      <div class="wide-table" tabIndex={0} role="group" aria-label={text.bySpeaker}>
        <table>
          <caption class="hidden">{text.bySpeaker}</caption>
          <thead>
            <tr>
              <th scope="col">{text.person}</th>
              {COLUMNS.map(({ metric, name }) => (
                <th key={name} scope="col">
                  {name} <About metric={metric} name={name} value="" reason={text.perSpeaker} />
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {flow.speakers.map((speaker) => (
              <tr key={speaker.speaker}>
                <th scope="row">
                  <PersonName id={speaker.speaker} />
                </th>
                {COLUMNS.map(({ name, value }) => (
                  <td key={name}>
                    {value(speaker) ?? (
                      <>
                        <span aria-hidden="true">–</span>
                        <span class="hidden">{text.notMeasured}</span>
                      </>
                    )}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Section>
  );
}

function reasonOf(metric: string, value: string | undefined): string | undefined {
  if (value !== undefined) return text.wholeMeeting;
  return metric === "overlap_ratio" ? text.noOverlap : text.noTurns;
}

interface Column {
  readonly metric: string;
  readonly name: string;
  readonly value: (speaker: SpeakerFlow) => string | undefined;
}

const COLUMNS: readonly Column[] = [
  { metric: "turns", name: text.turnsOf, value: ({ turns }) => String(turns) },
  { metric: "longest_monologue_ms", name: text.monologue, value: ({ longest_monologue_ms: ms }) => duration(ms) },
  { metric: "words_per_minute", name: text.pace, value: ({ words_per_minute: pace }) => optional(pace, decimal) },
  { metric: "talk_listen_ratio", name: text.ratio, value: ({ talk_listen_ratio: ratio }) => optional(ratio, decimal) },
  { metric: "patience_ms", name: text.patience, value: ({ patience_ms: ms }) => optional(ms, (one) => `${one} ms`) },
  { metric: "questions", name: text.questions, value: ({ questions }) => optional(questions, String) },
  { metric: "interruptions", name: text.interruptions, value: ({ interruptions }) => optional(interruptions, String) },
  { metric: "failed_interruptions", name: text.failed, value: ({ failed_interruptions: failed }) => optional(failed, String) },
];
