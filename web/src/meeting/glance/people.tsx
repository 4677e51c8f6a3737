import type { AliasSource, GetMeetingQualityResponse } from "meetra-client";
import { Bar } from "../../parts/charts/bar.js";
import { About } from "../../parts/measured.js";
import { percent, percentage } from "../../parts/numbers.js";
import { duration } from "../../parts/time.js";
import { server } from "../../server/server.js";
import { useAnswer } from "../../server/use_answer.js";
import { text } from "../../strings/people.js";
import { colourOf, useMeeting } from "../meeting_context.js";
import { InteractionMap } from "./interaction_map.js";
import { PersonName } from "./person_name.js";
import { Section } from "./section.js";

/** Who took part, how long each spoke, and who answered whom. */
export function People({ quality }: { quality: GetMeetingQualityResponse }) {
  const { fileHash, round, people } = useMeeting();
  const details = useAnswer(
    async (signal) => {
      const asked = { file_hash: fileHash, include_details: true };
      const [shares, interactions] = await Promise.all([
        server.getSpeakersBalance(asked, { signal }),
        server.getInteractions(asked, { signal }),
      ]);
      return { shares, interactions };
    },
    [fileHash, round],
  ).value;
  const shares = details?.shares.speakers ?? quality.group_dynamics.speakers;
  const nodes = details?.interactions.nodes ?? quality.group_dynamics.nodes;
  return (
    <>
      <Section
        title={text.share}
        beside={<About metric="meeting_speaking_percentage" name={text.share} value="" support={details?.shares.details} />}
      >
        {shares.length === 0 ? (
          <p>{text.nobody}</p>
        ) : (
          <table class="shares">
            <thead class="hidden">
              <tr>
                <th scope="col">{text.person}</th>
                <th scope="col">{text.bar}</th>
                <th scope="col">{text.time}</th>
              </tr>
            </thead>
            <tbody>
              {shares.map(({ id, meeting_speaking_percentage: share, speaking_ms: ms }) => {
                const person = people.get(id);
                return (
                  <tr key={id}>
                    <th scope="row">
                      <PersonName id={id} />
                      {person && <small class="hint">{sourceText(person.alias_source, person.alias_confidence)}</small>}
                    </th>
                    <td class="wide">
                      <Bar share={share / 100} colour={colourOf(person)} />
                    </td>
                    <td>
                      {percentage(share)}
                      {ms !== undefined && <small class="hint">{duration(ms)}</small>}
                    </td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        )}
      </Section>
      <Section
        title={text.map}
        beside={<About metric="nodes" name={text.map} value="" support={details?.interactions.details} />}
      >
        <InteractionMap nodes={nodes} shares={shares} />
      </Section>
    </>
  );
}

/** How sure a name is, in words. */
function sourceText(source: AliasSource | undefined, confidence: number | undefined): string {
  const how = (source && text.sources[source]) ?? "";
  if (!how || confidence === undefined) return how;
  return `${how}, ${confidence >= 0.8 ? text.sure : confidence >= 0.5 ? text.likely : text.unsure} (${percent(confidence)})`;
}
