import type { ListVoicesResponse } from "meetra-client";
import { DayFields } from "../parts/day_fields.js";
import { goTo } from "../route.js";
import { text } from "../strings/overtime.js";
import type { Chosen } from "./use_meetings.js";

/** The choice of meetings: when they were held, and with whom. What is chosen stands in the address. */
export function ChosenMeetings({ chosen, voices }: { chosen: Chosen; voices: ListVoicesResponse | undefined }) {
  const change = (changed: Partial<Chosen>): void => {
    const all = Object.entries({ ...chosen, ...changed }).filter(([, value]) => value);
    goTo("/overtime", Object.fromEntries(all), true);
  };
  const anything = chosen.from || chosen.to || chosen.voice;
  return (
    <form class="chosen-meetings screen-only" role="search" aria-label={text.filter.label} onSubmit={(event) => event.preventDefault()}>
      <DayFields days={chosen} change={change} />
      {voices?.recognise && (
        <label>
          {text.filter.person}{" "}
          <select value={chosen.voice} onChange={(event) => change({ voice: event.currentTarget.value })}>
            <option value="">{text.filter.everybody}</option>
            {voices.voices.map(({ id }, index) => (
              <option key={id} value={id}>
                {voiceName(voices, id, index)}
              </option>
            ))}
          </select>
        </label>
      )}
      {anything && (
        <button type="button" onClick={() => goTo("/overtime", {}, true)}>
          {text.filter.clear}
        </button>
      )}
    </form>
  );
}

/** The name of a known voice. */
export function voiceName(voices: ListVoicesResponse, id: string, index = voices.voices.findIndex((voice) => voice.id === id)): string {
  return voices.voices[index]?.name || text.filter.unnamed(index + 1);
}
