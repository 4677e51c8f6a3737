import type { SearchMeetingsResponse } from "meetra-client";
import { useState } from "preact/hooks";
import { isOfDays } from "../parts/days.js";
import { ErrorNotice } from "../parts/error_notice.js";
import { goTo } from "../route.js";
import type { PageProps } from "../routes.js";
import { errorText } from "../server/error_text.js";
import { server } from "../server/server.js";
import { useAnswer } from "../server/use_answer.js";
import { text } from "../strings/search.js";
import { text as shared } from "../strings/shared.js";
import { addressOf, queryOf, requestOf } from "./query.js";
import type { SearchQuery } from "./query.js";
import { ResultList } from "./result_list.js";
import "./search.css";
import { SearchForm } from "./search_form.js";

/** Sentences at first, and as many as the server returns at most. */
const FIRST = 20;
const MOST = 100;

/** The page "Search": sentences of all meetings, by words and by meaning. */
export function SearchPage({ query }: PageProps) {
  const wanted = queryOf(query);
  return (
    <>
      <h1>{text.title}</h1>
      <SearchForm wanted={wanted} search={(asked) => goTo("/search", addressOf(asked))} />
      {wanted.query ? <Found key={JSON.stringify(wanted)} wanted={wanted} /> : <p>{text.nothingAsked}</p>}
    </>
  );
}

function Found({ wanted }: { wanted: SearchQuery }) {
  const [limit, setLimit] = useState(FIRST);
  const { value, error, loading, reload } = useAnswer<SearchMeetingsResponse>(
    (signal) => server.searchMeetings(requestOf(wanted, limit), { signal }),
    [limit],
  );
  const all = value?.results;
  const results = all?.filter(({ date, created_at }) => isOfDays(wanted, date, created_at));
  return (
    <section aria-busy={loading}>
      {error !== undefined && !loading && (
        <ErrorNotice message={errorText(error)} action={{ label: shared.tryAgain, run: reload }} />
      )}
      <p role="status">{loading ? text.searching : results && text.found(results.length, (all?.length ?? 0) < limit)}</p>
      {value?.notice && <p class="notice">{value.notice}</p>}
      {results && results.length > 0 && <ResultList results={results} />}
      {all?.length === limit && limit < MOST && (
        <button type="button" onClick={() => setLimit(MOST)}>
          {text.more}
        </button>
      )}
    </section>
  );
}
