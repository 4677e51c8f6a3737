import type { MeetingSummary } from "meetra-client";
import { useEffect, useState } from "preact/hooks";
import { ErrorNotice } from "../parts/error_notice.js";
import { Lacking } from "../parts/lacking.js";
import { goTo } from "../route.js";
import type { PageProps } from "../routes.js";
import { errorText } from "../server/error_text.js";
import { useRights } from "../server/rights.js";
import { server } from "../server/server.js";
import { text } from "../strings/meetings.js";
import { text as shared } from "../strings/shared.js";
import { filterOf, isSelective, queryOf } from "./filter.js";
import type { MeetingFilter } from "./filter.js";
import { FilterForm } from "./filter_form.js";
import { MeetingTable } from "./meeting_table.js";
import "./meetings.css";
import { useMeetings } from "./use_meetings.js";
import { UploadPanel } from "../upload/upload_panel.js";

/** For how long a deletion can be undone, seconds. */
const UNDO_S = 60;

/** The page "Meetings": recordings are uploaded there, and the meetings listed. */
export function MeetingsPage({ query }: PageProps) {
  const { may } = useRights();
  const [uploaded, setUploaded] = useState(0);
  return (
    <>
      <h1>{text.title}</h1>
      {may("RIGHT_UPLOAD") ? <UploadPanel uploaded={() => setUploaded((count) => count + 1)} /> : <Lacking right="RIGHT_UPLOAD" />}
      {may("RIGHT_READ") ? <MeetingList query={query} uploaded={uploaded} /> : <Lacking right="RIGHT_READ" />}
    </>
  );
}

/** The list, searched, sorted and brought up to date: at once when `uploaded` changes. */
function MeetingList({ query, uploaded }: { query: URLSearchParams; uploaded: number }) {
  const { may } = useRights();
  const filter = filterOf(query);
  const list = useMeetings(filter);
  useEffect(() => {
    if (uploaded > 0) list.refresh();
  }, [uploaded]);
  const [told, setTold] = useState("");
  const [problem, setProblem] = useState("");
  const change = (changed: MeetingFilter): void => goTo("/", queryOf(changed), true);

  const act = async (meeting: MeetingSummary, call: () => Promise<unknown>, done: string): Promise<void> => {
    setProblem("");
    try {
      await call();
      setTold(done);
    } catch (error) {
      setProblem(text.remove.failed(nameOf(meeting), errorText(error)));
    }
    list.refresh();
  };
  const actions = {
    remove: (meeting: MeetingSummary) =>
      void act(
        meeting,
        () => server.deleteMeeting({ file_hash: meeting.file_hash, undo_seconds: UNDO_S }),
        text.remove.told(nameOf(meeting)),
      ),
    keep: (meeting: MeetingSummary) =>
      void act(meeting, () => server.restoreMeeting({ file_hash: meeting.file_hash }), text.remove.kept(nameOf(meeting))),
  };

  const { meetings } = list;
  return (
    <>
      <FilterForm filter={filter} change={change} />
      <p class="hidden" role="status">
        {told}
      </p>
      {problem && <ErrorNotice message={problem} />}
      {list.error !== undefined && (
        <ErrorNotice
          message={meetings ? `${text.outOfDate} ${errorText(list.error)}` : errorText(list.error)}
          action={{ label: shared.tryAgain, run: list.refresh }}
        />
      )}
      {!meetings && list.error === undefined && <p role="status">{text.loading}</p>}
      {meetings && (
        <div aria-busy={list.loading}>
          {meetings.length > 0 ? (
            <MeetingTable
              meetings={meetings}
              sort={filter.sort}
              setSort={(sort) => change({ ...filter, sort })}
              actions={may("RIGHT_EDIT") ? actions : undefined}
            />
          ) : (
            <p>{isSelective(filter) ? text.noneFound : text.none}</p>
          )}
          <p class="list-end">
            <span role="status" class="hint">
              {meetings.length > 0 && text.shown(meetings.length, list.more)}
            </span>
            {list.more && (
              <button type="button" onClick={list.showMore}>
                {text.more}
              </button>
            )}
            {isSelective(filter) && (
              <button type="button" onClick={() => goTo("/", {}, true)}>
                {text.filters.clear}
              </button>
            )}
          </p>
        </div>
      )}
    </>
  );
}

function nameOf(meeting: MeetingSummary): string {
  return meeting.name || text.unnamed;
}
