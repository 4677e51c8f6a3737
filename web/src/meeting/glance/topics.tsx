import type { Topic, TopicDetail } from "meetra-client";
import { About } from "../../parts/measured.js";
import { percent, score } from "../../parts/numbers.js";
import { duration } from "../../parts/time.js";
import { text } from "../../strings/topics.js";
import { emotionText } from "./emotion_names.js";
import { Moment } from "./moment.js";
import { PersonName } from "./person_name.js";
import { Section } from "./section.js";

/** The topics as chapters: where each begins, its words, and how it went. */
export function Topics({ topics, details }: { topics: readonly Topic[]; details: readonly TopicDetail[] }) {
  return (
    <Section title={text.title} beside={<About metric="topics" name={text.title} value="" reason={text.how} />}>
      {topics.length === 0 ? (
        <p>{text.none}</p>
      ) : (
        <ol class="chapters">
          {topics.map(({ topic, start, end, keywords }) => {
            const detail = details.find((one) => one.start === start);
            return (
              <li key={start}>
                <h3>
                  <Moment ms={start} /> <span dir="auto">{topic}</span>{" "}
                  <small class="hint">{duration(end - start)}</small>
                </h3>
                {keywords.length > 0 && (
                  <ul class="keywords" aria-label={text.keywords}>
                    {keywords.map((word) => (
                      <li key={word} dir="auto">
                        {word}
                      </li>
                    ))}
                  </ul>
                )}
                {detail && <Deep detail={detail} />}
              </li>
            );
          })}
        </ol>
      )}
    </Section>
  );
}

function Deep({ detail }: { detail: TopicDetail }) {
  const { energy, sentiment, interactions_score: interaction, involvement_score: involvement, speakers, reason } = detail;
  const facts: [metric: string, name: string, value: string | undefined][] = [
    ["sentiment", text.sentiment, sentiment],
    ["energy_score", text.energy, score(energy.energy_score)],
    ["meeting_interaction_score", text.interaction, score(interaction)],
    ["involvement_score", text.involvement, score(involvement)],
    ["energy_score", text.talking, percent(energy.talking_time)],
    ["emotions", text.emotions, energy.emotions.map(emotionText).join(", ") || undefined],
  ];
  return (
    <details>
      <summary>{text.deep}</summary>
      <dl class="facts">
        {facts.map(([metric, name, value]) => (
          <div key={name}>
            <dt>
              {name} <About metric={metric} name={name} value={value} reason={value === undefined ? reason : undefined} />
            </dt>
            <dd>{value ?? reason ?? text.notMeasured}</dd>
          </div>
        ))}
      </dl>
      <p class="topic-people">
        {`${text.people}:`}
        {speakers.map(({ id }) => (
          <PersonName key={id} id={id} />
        ))}
      </p>
    </details>
  );
}
