import type { ActionItem, Chapter, MeetingNotes, NoteLine } from "meetra-client";
import { LongList } from "../../parts/long_list.js";
import { About } from "../../parts/measured.js";
import { text } from "../../strings/notes.js";
import { Moment } from "./moment.js";
import { PersonName } from "./person_name.js";
import { Section } from "./section.js";

/** What somebody is to do, what was decided, and the chapters: each line leads to the sentences that it rests on. */
export function Notes({ notes }: { notes: MeetingNotes }) {
  const { action_items: items, decisions, chapters, methods, reason } = notes;
  return (
    <>
      <Section
        title={text.actionItems}
        beside={<About metric="action_items" name={text.actionItems} value="" reason={text.methods[methods.action_items]} />}
      >
        {items.length === 0 ? (
          <p>{reason ?? text.noActionItems}</p>
        ) : (
          <>
            <LongList
              items={items.map((item) => (
                <li key={keyOf(item)}>
                  <Item item={item} />
                </li>
              ))}
            />
            {reason && <p class="hint">{reason}</p>}
          </>
        )}
      </Section>
      <Section
        title={text.decisions}
        beside={<About metric="decisions" name={text.decisions} value="" reason={text.methods[methods.decisions]} />}
      >
        {decisions.length === 0 ? (
          <p>{reason ?? text.noDecisions}</p>
        ) : (
          <>
            <LongList
              items={decisions.map((line) => (
                <li key={keyOf(line)}>
                  <Line line={line} />
                </li>
              ))}
            />
            {reason && <p class="hint">{reason}</p>}
          </>
        )}
      </Section>
      {chapters.some(({ points }) => points.length > 0) && (
        <Section title={text.chapters}>
          <p class="hint">{text.methods[methods.chapters]}</p>
          <ol class="chapters">
            {chapters.map((chapter) => (
              <li key={chapter.start_ms}>
                <ChapterPoints chapter={chapter} />
              </li>
            ))}
          </ol>
        </Section>
      )}
    </>
  );
}

/** The moments of the sentences that a line rests on. */
export function Cited({ line }: { line: NoteLine | ActionItem }) {
  return (
    <small class="cited">
      {line.sentences.map(({ number, start_ms: start }) => (
        <Moment key={number} ms={start} />
      ))}
      {line.outdated && <span class="hint">{text.outdated}</span>}
    </small>
  );
}

function Line({ line }: { line: NoteLine | ActionItem }) {
  return (
    <>
      <span dir="auto">{line.text}</span> <Cited line={line} />
    </>
  );
}

function Item({ item }: { item: ActionItem }) {
  const { speaker, person, due } = item;
  return (
    <>
      {speaker ? <PersonName id={speaker} /> : person && <strong dir="auto">{person}</strong>}
      {(speaker || person) && ": "}
      <Line line={item} />
      {due && <div class="hint">{text.due(due)}</div>}
    </>
  );
}

function ChapterPoints({ chapter: { title, start_ms: start, points } }: { chapter: Chapter }) {
  return (
    <>
      <h3>
        <Moment ms={start} /> <span dir="auto">{title}</span>
      </h3>
      <ul class="lines">
        {points.map((point) => (
          <li key={keyOf(point)}>
            <Line line={point} />
          </li>
        ))}
      </ul>
    </>
  );
}

function keyOf(line: NoteLine | ActionItem): string {
  return `${line.sentences[0]?.number ?? 0}${line.text}`;
}
