import type { PageProps } from "../routes.js";
import { ErrorNotice } from "../parts/error_notice.js";
import { errorText } from "../server/error_text.js";
import { server } from "../server/server.js";
import { useAnswer } from "../server/use_answer.js";
import { text } from "../strings/overtime.js";
import { text as shared } from "../strings/shared.js";
import { ChosenMeetings, voiceName } from "./chosen_meetings.js";
import { Comparison } from "./comparison.js";
import { MeetingsTable } from "./meetings_table.js";
import "./overtime.css";
import { PeopleTable } from "./people_table.js";
import { Person } from "./person.js";
import { Trends } from "./trends.js";
import { useMeetings } from "./use_meetings.js";

const HASH = /^[0-9a-f]{64}$/;

/** The page "Over time": an organization's meetings side by side, or two of them compared. */
export function OvertimePage({ query }: PageProps) {
  const [one = "", other = ""] = (query.get("compare") ?? "").split(",");
  if (HASH.test(one) && HASH.test(other) && one !== other) return <Comparison hashes={[one, other]} />;
  return <SideBySide query={query} />;
}

function SideBySide({ query }: { query: URLSearchParams }) {
  const chosen = { from: query.get("from") ?? "", to: query.get("to") ?? "", voice: query.get("voice") ?? "" };
  const { found, loading, error, more, next } = useMeetings(chosen);
  const { value: voices } = useAnswer((signal) => server.listVoices({}, { signal }), []);
  return (
    <>
      <h1>{text.title}</h1>
      <p>{text.intro}</p>
      <ChosenMeetings chosen={chosen} voices={voices} />
      {voices && !voices.recognise && <p class="hint">{text.person.off}</p>}
      {found.length > 0 && (
        <>
          {chosen.voice && voices && <Person name={voiceName(voices, chosen.voice)} voice={chosen.voice} meetings={found} />}
          <h2>{text.trends}</h2>
          <Trends meetings={found} />
          <h2>{text.meetings}</h2>
          <MeetingsTable meetings={found} />
          {!chosen.voice && voices?.recognise && (
            <>
              <h2>{text.knownPeople.title}</h2>
              <PeopleTable meetings={found} voices={voices} />
            </>
          )}
        </>
      )}
      <p role="status">{loading ? shared.loading : !error && statusText(found.length, more, chosen.from || chosen.to || chosen.voice)}</p>
      {error !== undefined && <ErrorNotice message={errorText(error)} action={{ label: shared.tryAgain, run: next }} />}
      {more && !loading && !error && (
        <button type="button" onClick={next}>
          {text.earlier}
        </button>
      )}
    </>
  );
}

function statusText(meetings: number, more: boolean, chosen: string): string {
  if (meetings > 0) return text.shown(meetings, more);
  return chosen ? text.noneChosen : text.none;
}
