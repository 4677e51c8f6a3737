import { useState } from "preact/hooks";
import type { ComponentChildren } from "preact";
import { useMeeting } from "../meeting/meeting_context.js";
import { ErrorNotice } from "../parts/error_notice.js";
import { errorText } from "../server/error_text.js";
import { server } from "../server/server.js";
import { text } from "../strings/corrections.js";
import { momentMs } from "./span.js";

/** The people of the meeting: renamed, merged, split. */
export function SpeakerCorrections() {
  const { fileHash, people, changed } = useMeeting();
  const listed = [...people.values()];
  const [chosen, setChosen] = useState("");
  const [name, setName] = useState<string>();
  const [into, setInto] = useState("");
  const [from, setFrom] = useState("");
  const [to, setTo] = useState("");
  const [busy, setBusy] = useState(false);
  const [told, setTold] = useState("");
  const [failed, setFailed] = useState<string>();
  const person = people.get(chosen) ?? listed[0];
  const others = listed.filter(({ id }) => id !== person?.id);
  const other = others.find(({ id }) => id === into) ?? others[0];
  if (!person) return null;

  const run = async (correct: () => Promise<string>): Promise<void> => {
    if (busy) return;
    setBusy(true);
    setFailed(undefined);
    setTold("");
    try {
      setTold(await correct());
      changed();
    } catch (error) {
      setFailed(error instanceof BadSpan ? text.badSpan : errorText(error));
    } finally {
      setBusy(false);
    }
  };
  const rename = async (): Promise<string> => {
    const asked = { id: person.id, name: { alias: name ?? person.alias }, file_hash: fileHash };
    const { alias } = await server.renameSpeaker(asked);
    setName(undefined);
    return text.renamed(alias);
  };
  const merge = async (): Promise<string> => {
    if (!other) return "";
    await server.mergeSpeakers({ id: person.id, into: other.id });
    setChosen(other.id);
    setName(undefined);
    return text.merged(other.alias);
  };
  const split = async (): Promise<string> => {
    const [start, end] = [momentMs(from), momentMs(to)];
    if (start === undefined || end === undefined || end <= start) throw new BadSpan();
    const answer = await server.splitSpeaker({ id: person.id, start, end });
    setFrom("");
    setTo("");
    return text.splitDone(answer.speakers.find(({ id }) => id === answer.new_id)?.alias ?? "");
  };

  return (
    <div class="speaker-corrections">
      <h3>{text.people}</h3>
      <label>
        <span>{text.person}</span>
        <select
          value={person.id}
          onChange={(event) => {
            setChosen(event.currentTarget.value);
            setName(undefined);
          }}
        >
          {listed.map(({ id, alias }) => (
            <option key={id} value={id}>
              {alias}
            </option>
          ))}
        </select>
      </label>
      <Line submit={() => void run(rename)} label={text.rename} busy={busy}>
        <label>
          <span>{text.name}</span>
          <input dir="auto" value={name ?? person.alias} maxLength={200} onInput={(event) => setName(event.currentTarget.value)} />
        </label>
      </Line>
      {other && (
        <Line submit={() => void run(merge)} label={text.merge} busy={busy}>
          <label>
            <span>{text.sameAs}</span>
            <select value={other.id} onChange={(event) => setInto(event.currentTarget.value)}>
              {others.map(({ id, alias }) => (
                <option key={id} value={id}>
                  {alias}
                </option>
              ))}
            </select>
          </label>
        </Line>
      )}
      <Line submit={() => void run(split)} label={text.split} busy={busy}>
        <label>
          <span>{text.from}</span>
          <input class="moment" value={from} placeholder="0:00" title={text.spanHint} onInput={(event) => setFrom(event.currentTarget.value)} />
        </label>
        <label>
          <span>{text.to}</span>
          <input class="moment" value={to} placeholder="0:30" title={text.spanHint} onInput={(event) => setTo(event.currentTarget.value)} />
        </label>
        <span>{text.somebodyElse}</span>
      </Line>
      <p role="status">{told}</p>
      {failed && <ErrorNotice message={failed} />}
    </div>
  );
}

/** Times that are none. */
class BadSpan extends Error {}

function Line(given: { submit: () => void; label: string; busy: boolean; children: ComponentChildren }) {
  return (
    <form
      class="correction-line"
      onSubmit={(event) => {
        event.preventDefault();
        given.submit();
      }}
    >
      {given.children}
      <button type="submit" disabled={given.busy}>
        {given.label}
      </button>
    </form>
  );
}
