import type { LiveSpeaker } from "meetra-client";
import { useEffect, useRef, useState } from "preact/hooks";
import { ErrorNotice } from "../parts/error_notice.js";
import { errorText } from "../server/error_text.js";
import { server } from "../server/server.js";
import { text } from "../strings/live.js";
import type { LiveState } from "./live_state.js";

/** Each speaker's share of the speaking time; here they get their names while the meeting runs. */
export function Shares({ state, speakers }: { state: LiveState; speakers: readonly LiveSpeaker[] }) {
  return (
    <>
      <h3>{text.scores.share}</h3>
      <ul class="live-shares">
        {speakers.map(({ speaker_id, alias, speaking_percentage }) => (
          <li key={speaker_id} class={state.colour(speaker_id)}>
            <Speaker id={speaker_id} name={state.names.get(speaker_id) ?? alias} percent={Math.round(speaking_percentage)} />
            <svg class="live-bar" viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true">
              <rect class="live-fill" width={speaking_percentage} height="1" />
            </svg>
          </li>
        ))}
      </ul>
    </>
  );
}

function Speaker({ id, name, percent }: { id: string; name: string; percent: number }) {
  const [editing, setEditing] = useState(false);
  const [problem, setProblem] = useState("");
  const field = useRef<HTMLInputElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const edited = useRef(false);
  useEffect(() => {
    // Whoever opens the field writes at once, and is back where they were when they have done so.
    if (editing) field.current?.select();
    else if (edited.current) button.current?.focus();
    edited.current = editing;
  }, [editing]);
  const rename = async (alias: string): Promise<void> => {
    setProblem("");
    try {
      if (alias && alias !== name) await server.renameSpeaker({ id, name: { alias } });
      // The name comes back as an event, to everybody.
      setEditing(false);
    } catch (error) {
      setProblem(errorText(error));
    }
  };
  if (!editing) {
    return (
      <span class="live-speaker">
        <span>
          <bdi>{name}</bdi> {percent} %
        </span>
        <button ref={button} type="button" class="quiet" onClick={() => setEditing(true)}>
          {text.scores.rename}
          <span class="hidden"> {name}</span>
        </button>
      </span>
    );
  }
  return (
    <form
      class="live-rename"
      onSubmit={(event) => {
        event.preventDefault();
        void rename(field.current?.value.trim() ?? "");
      }}
      onKeyDown={({ key }) => key === "Escape" && setEditing(false)}
    >
      <label>
        <span class="hidden">{text.scores.nameOf(name)}</span>
        <input ref={field} defaultValue={name} maxLength={200} dir="auto" />
      </label>
      <button class="primary">{text.scores.save}</button>
      <button type="button" onClick={() => setEditing(false)}>
        {text.scores.cancel}
      </button>
      {problem && <ErrorNotice message={problem} />}
    </form>
  );
}
