import type { GetSpeakersAudioQualityResponse, SpeakerAudioQuality } from "meetra-client";
import { About } from "../../parts/measured.js";
import { decimal, optional, score } from "../../parts/numbers.js";
import { duration } from "../../parts/time.js";
import { Waiting } from "../../parts/waiting.js";
import type { Answer } from "../../server/use_answer.js";
import { text } from "../../strings/audio_quality.js";
import { Moment } from "./moment.js";
import { PersonName } from "./person_name.js";
import { Section } from "./section.js";

interface Column {
  readonly metric: string;
  readonly name: string;
  readonly value: (speaker: SpeakerAudioQuality) => string | undefined;
  /** Why it may be absent. */
  readonly absent: string;
}

const COLUMNS: readonly Column[] = [
  { metric: "microphone_quality", name: text.microphone, value: (one) => optional(one.microphone_quality, score), absent: text.tooShort },
  { metric: "mos", name: text.mos, value: (one) => optional(one.mos, decimal), absent: text.tooShort },
  { metric: "noise_db", name: text.noise, value: (one) => optional(one.noise_db, level), absent: text.noPause },
  { metric: "snr_db", name: text.snr, value: (one) => optional(one.snr_db, (value) => `${score(value)} dB`), absent: text.noPause },
  { metric: "clipping_percent", name: text.clipping, value: (one) => `${decimal(one.clipping_percent)} %`, absent: "" },
  { metric: "reverb", name: text.reverb, value: ({ reverb }) => (reverb ? text.yes : text.no), absent: "" },
  { metric: "lagging", name: text.lagging, value: ({ lagging }) => (lagging ? text.yes : text.no), absent: "" },
];

/** How well each speaker can be heard, and what disturbs. */
export function AudioQuality({ answer }: { answer: Answer<GetSpeakersAudioQualityResponse> }) {
  return (
    <Section title={text.title}>
      <Waiting answer={answer}>
        {({ speakers, details }) =>
          speakers.length === 0 ? (
            <p>{text.none}</p>
          ) : (
            <>
              <div class="wide-table" tabIndex={0} role="group" aria-label={text.title}>
                <table>
                  <thead>
                    <tr>
                      <th scope="col">{text.person}</th>
                      {COLUMNS.map(({ metric, name, absent }) => (
                        <th key={metric} scope="col">
                          {name} <About metric={metric} name={name} value="" reason={absent || text.always} />
                        </th>
                      ))}
                    </tr>
                  </thead>
                  <tbody>
                    {speakers.map((speaker) => (
                      <tr key={speaker.id}>
                        <th scope="row">
                          <PersonName id={speaker.id} />
                          <small class="hint">{inWords(speaker)}</small>
                        </th>
                        {COLUMNS.map(({ metric, value, absent }) => (
                          <td key={metric}>{value(speaker) ?? <span class="hint">{absent}</span>}</td>
                        ))}
                      </tr>
                    ))}
                  </tbody>
                </table>
              </div>
              {details?.noise_db !== undefined && <p class="hint">{text.background(level(details.noise_db))}</p>}
              {details && details.music.length > 0 && (
                <p>
                  {`${text.music} `}
                  {details.music.map(({ start, end }) => (
                    <span key={start} class="music">
                      <Moment ms={start} /> {`(${duration(end - start)}) `}
                    </span>
                  ))}
                </p>
              )}
            </>
          )
        }
      </Waiting>
    </Section>
  );
}

function level(value: number): string {
  return `${score(value)} dBFS`;
}

/** The same in words: good from an overall opinion score of 3.5, fair from 2.5. */
function inWords({ mos, reverb, lagging, clipping_percent: clipping }: SpeakerAudioQuality): string {
  const words = [
    mos === undefined ? text.notMeasured : mos >= 3.5 ? text.good : mos >= 2.5 ? text.fair : text.poor,
    reverb && text.echoes,
    lagging && text.gaps,
    clipping > 0.05 && text.tooLoud,
  ];
  return words.filter(Boolean).join(", ");
}
