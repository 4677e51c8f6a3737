import type { EmotionChunk, GroupDynamics } from "meetra-client";
import { Bar } from "../../parts/charts/bar.js";
import { About } from "../../parts/measured.js";
import { percentage } from "../../parts/numbers.js";
import { clock } from "../../parts/time.js";
import { Waiting } from "../../parts/waiting.js";
import { server } from "../../server/server.js";
import { useAnswer } from "../../server/use_answer.js";
import { text } from "../../strings/emotions.js";
import { useMeeting } from "../meeting_context.js";
import { EMOTIONS, emotionText } from "./emotion_names.js";
import { PersonName } from "./person_name.js";
import { Section } from "./section.js";

/** Emotions of the meeting, and of each speaker minute by minute. */
export function Emotions({ group }: { group: GroupDynamics }) {
  const { fileHash, round } = useMeeting();
  const whole = useAnswer(
    (signal) => server.getMeetingEmotions({ file_hash: fileHash, include_details: true }, { signal }),
    [fileHash, round],
  ).value;
  const byMinute = useAnswer(
    (signal) => server.getSpeakerEmotionsOverTime({ file_hash: fileHash }, { signal }),
    [fileHash, round],
  );
  const shares = group.meeting_emotions;
  return (
    <Section
      title={text.title}
      beside={
        <About
          metric="meeting_emotions"
          name={text.title}
          value={shares ? "" : undefined}
          support={whole?.details}
          reason={[text.basis, group.reason].filter(Boolean).join(" ")}
        />
      }
    >
      {!shares ? (
        <p>{group.reason ?? text.none}</p>
      ) : (
        <table class="shares">
          <thead class="hidden">
            <tr>
              <th scope="col">{text.emotion}</th>
              <th scope="col">{text.share}</th>
              <th scope="col">%</th>
            </tr>
          </thead>
          <tbody>
            {EMOTIONS.map((name) => (
              <tr key={name}>
                <th scope="row">{emotionText(name)}</th>
                <td class="wide">
                  <Bar share={shares[name] / 100} colour={`emotion-${name}`} />
                </td>
                <td>{percentage(shares[name])}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <Waiting answer={byMinute}>{({ chunks }) => (shares ? <Minutes chunks={chunks} /> : null)}</Waiting>
    </Section>
  );
}

function Minutes({ chunks }: { chunks: readonly EmotionChunk[] }) {
  const { people } = useMeeting();
  const ids = [...people.keys()];
  return (
    <>
      <h3>
        {text.grid} <About metric="chunks" name={text.grid} value="" reason={text.basis} />
      </h3>
      <ul class="legend emotion-legend" aria-hidden="true">
        {EMOTIONS.map((name) => (
          <li key={name}>
            <span class={`emotion-cell emotion-${name}`}>{text.letters[name]}</span> {emotionText(name)}
          </li>
        ))}
      </ul>
      <div class="wide-table" tabIndex={0} role="group" aria-label={text.grid}>
        <table class="emotion-grid">
          <thead>
            <tr>
              <th scope="col">{text.person}</th>
              {chunks.map(({ start_ms: start }, index) => (
                <th key={start} scope="col">
                  <span class="hidden">{text.minute(clock(index * 60_000))}</span>
                  <span aria-hidden="true">{index % 5 === 0 ? clock(index * 60_000) : ""}</span>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {ids.map((id) => (
              <tr key={id}>
                <th scope="row">
                  <PersonName id={id} />
                </th>
                {chunks.map(({ start_ms: start, emotions }) => {
                  const name = emotions[id];
                  return name === undefined ? (
                    <td key={start}>
                      <span class="hidden">{text.silent}</span>
                    </td>
                  ) : (
                    <td key={start} class={`emotion-cell emotion-${name}`} title={emotionText(name)}>
                      <span aria-hidden="true">{text.letters[name] ?? name[0]}</span>
                      <span class="hidden">{emotionText(name)}</span>
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}
