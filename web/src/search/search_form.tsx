import { useEffect, useState } from "preact/hooks";
import { DayFields } from "../parts/day_fields.js";
import { text } from "../strings/search.js";
import type { SearchQuery } from "./query.js";

const WAYS = { "": text.form.both, words: text.form.words, meaning: text.form.meaning } as const;

/** What to search for; `search` is told once somebody asks. */
export function SearchForm({ wanted, search }: { wanted: SearchQuery; search: (wanted: SearchQuery) => void }) {
  const [typed, setTyped] = useState(wanted);
  // The address has changed by itself: somebody went back, or followed a link.
  useEffect(() => setTyped(wanted), Object.values(wanted));
  const field = (name: keyof SearchQuery) => ({
    value: typed[name],
    onInput: (event: { currentTarget: { value: string } }) => setTyped({ ...typed, [name]: event.currentTarget.value }),
  });
  return (
    <form
      class="search-form"
      role="search"
      aria-label={text.form.label}
      onSubmit={(event) => {
        event.preventDefault();
        search({ ...typed, query: typed.query.trim() });
      }}
    >
      <label class="search-query">
        {text.form.query}
        <input type="search" required maxLength={400} aria-describedby="search-hint" {...field("query")} />
        <span id="search-hint" class="hint">
          {text.form.hint}
        </span>
      </label>
      <label>
        {text.form.speaker}
        <input type="search" maxLength={200} {...field("speaker")} />
      </label>
      <label>
        {text.form.topic}
        <input type="search" maxLength={200} {...field("topic")} />
      </label>
      <DayFields days={typed} change={(changed) => setTyped({ ...typed, ...changed })} />
      <label>
        {text.form.language}
        <input type="search" maxLength={64} placeholder={text.form.languageHint} {...field("language")} />
      </label>
      <label>
        {text.form.by}
        <select value={typed.by} onChange={(event) => setTyped({ ...typed, by: event.currentTarget.value })}>
          {Object.entries(WAYS).map(([by, label]) => (
            <option key={by} value={by}>
              {label}
            </option>
          ))}
        </select>
      </label>
      <button type="submit">{text.form.search}</button>
    </form>
  );
}
