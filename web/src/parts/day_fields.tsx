import { text } from "../strings/days.js";
import type { Days } from "./days.js";

/** The choice of days, wherever meetings are chosen; `change` is told of the one that was changed. */
export function DayFields({ days, change }: { days: Days; change: (changed: Partial<Days>) => void }) {
  return (
    <>
      {(["from", "to"] as const).map((end) => (
        <label key={end} title={text.hint}>
          {text[end]}{" "}
          <input type="date" value={days[end]} onInput={(event) => change({ [end]: event.currentTarget.value })} />
        </label>
      ))}
    </>
  );
}
