import type { GetMeetingQualityResponse, QualityDriver } from "meetra-client";
import { Measured } from "../../parts/measured.js";
import { decimal, score } from "../../parts/numbers.js";
import { Waiting } from "../../parts/waiting.js";
import { server } from "../../server/server.js";
import { useAnswer } from "../../server/use_answer.js";
import { text } from "../../strings/scores.js";
import { useMeeting } from "../meeting_context.js";
import { Section } from "./section.js";

/** The scores of the meeting, and what drives the first of them. */
export function Scores({ quality }: { quality: GetMeetingQualityResponse }) {
  const { fileHash, round } = useMeeting();
  const details = useAnswer(
    async (signal) => {
      const asked = { file_hash: fileHash, include_details: true };
      const [balance, interaction, energy, sentiment] = await Promise.all([
        server.getBalanceScore(asked, { signal }),
        server.getInteractionScore(asked, { signal }),
        server.getMeetingEnergy(asked, { signal }),
        server.getMeetingSentiment(asked, { signal }),
      ]);
      return { balance, interaction, energy, sentiment };
    },
    [fileHash, round],
  );
  const main = quality.drivers.filter(({ name }) => !name.includes("."));
  return (
    <Section title={text.title}>
      <Waiting answer={details}>
        {({ balance, interaction, energy, sentiment }) => (
          <div class="tiles">
            <Measured
              metric="quality_score"
              name={text.quality}
              value={score(quality.quality_score)}
              unit={text.of100}
              support={quality.support}
              note={quality.note}
              facts={main.map((driver) => [text.names[driver.name] ?? driver.name, score(driver.score)] as const)}
            />
            <Measured
              metric="balance_score"
              name={text.balance}
              value={score(balance.balance_score)}
              unit={text.of100}
              {...balance.details}
            />
            <Measured
              metric="meeting_interaction_score"
              name={text.interaction}
              value={score(interaction.meeting_interaction_score)}
              unit={text.of100}
              {...interaction.details}
            />
            <Measured
              metric="meeting_energy"
              name={text.energy}
              value={score(energy.meeting_energy)}
              unit={text.of100}
              {...energy.details}
            />
            <Measured
              metric="sentiment_score"
              name={text.sentiment}
              value={sentiment.sentiment_score === undefined ? undefined : score(sentiment.sentiment_score)}
              unit={text.of100}
              support={sentiment.details?.support}
              reason={sentiment.reason}
              facts={[
                ...(sentiment.details ? ([[text.sentences, sentencesText(sentiment.details)]] as const) : []),
                ...(sentiment.details?.mean_polarity === undefined
                  ? []
                  : ([[text.polarity, decimal(sentiment.details.mean_polarity)]] as const)),
              ]}
            >
              {sentiment.details?.label && sentiment.sentiment_score !== undefined && <span>{sentiment.details.label}</span>}
            </Measured>
          </div>
        )}
      </Waiting>
      {quality.support.sufficient && <Drivers drivers={quality.drivers} />}
      <p class="hint">{quality.note}</p>
    </Section>
  );
}

function sentencesText({ sentences, sentences_in_all: all }: { sentences: number; sentences_in_all?: number }): string {
  return all === undefined ? String(sentences) : text.partOf(sentences, all);
}

function Drivers({ drivers }: { drivers: readonly QualityDriver[] }) {
  const parts = drivers.filter(({ name }) => name.includes("."));
  const named = (effect: string): string =>
    parts
      .filter((driver) => driver.effect === effect)
      .map(({ name, score: value }) => `${partName(name)} (${score(value)})`)
      .join(", ");
  const [raises, lowers] = [named("raises"), named("lowers")];
  return (
    <dl class="drivers">
      {raises && (
        <div>
          <dt>{text.raises}</dt>
          <dd>{raises}</dd>
        </div>
      )}
      {lowers && (
        <div>
          <dt>{text.lowers}</dt>
          <dd>{lowers}</dd>
        </div>
      )}
    </dl>
  );
}

function partName(name: string): string {
  return text.parts[name] ?? name.replaceAll("_", " ").replace(".", ": ");
}
