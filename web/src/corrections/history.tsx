import type { Correction, Speaker } from "meetra-client";
import { MeetraError } from "meetra-client";
import { useState } from "preact/hooks";
import { useMeeting } from "../meeting/meeting_context.js";
import { ErrorNotice } from "../parts/error_notice.js";
import { clock, dateText } from "../parts/time.js";
import { Waiting } from "../parts/waiting.js";
import { errorText } from "../server/error_text.js";
import { useRights } from "../server/rights.js";
import { server } from "../server/server.js";
import { useAnswer } from "../server/use_answer.js";
import { text } from "../strings/corrections.js";

const PAGE = 20;

/** Why neither was done: somebody else corrected, undid or redid something. */
const MEANWHILE: ReadonlySet<string> = new Set(["CORRECTION_NOT_LATEST", "CORRECTION_NOT_NEXT"]);

/** What was corrected in a meeting, the latest first; the undo of the latest, and the redo of what was undone last. */
export function CorrectionHistory() {
  const { fileHash, round, changed } = useMeeting();
  const { may } = useRights();
  const [shown, setShown] = useState(PAGE);
  const [busy, setBusy] = useState(false);
  const [told, setTold] = useState("");
  const [failed, setFailed] = useState<string>();
  const history = useAnswer(
    (signal) => server.listCorrections({ file_hash: fileHash, page_size: shown }, { signal }),
    [fileHash, round, shown],
  );
  const run = async (call: () => Promise<unknown>, done: string): Promise<void> => {
    if (busy) return;
    setBusy(true);
    setFailed(undefined);
    setTold("");
    try {
      await call();
      setTold(done);
      changed();
    } catch (error) {
      const other = error instanceof MeetraError && MEANWHILE.has(error.reason ?? "");
      setFailed(other ? text.notLatest : errorText(error));
      if (other) changed();
    } finally {
      setBusy(false);
    }
  };
  const undo = (number: number): void =>
    void run(() => server.undoSpeakerEdit({ file_hash: fileHash, number }), text.undone);
  const redo = (number: number): void =>
    void run(() => server.redoCorrection({ file_hash: fileHash, number }), text.redone);
  return (
    <div class="correction-history">
      <h3>{text.history}</h3>
      <Waiting answer={history}>
        {({ corrections, next_page_token: earlier }) => {
          const latest = corrections.find(({ undone }) => !undone);
          const next = corrections.find(({ can_redo: redoable }) => redoable);
          return (
            <>
              {corrections.length === 0 && <p>{text.none}</p>}
              {may("RIGHT_EDIT") && (latest || next) && (
                <p class="correction-line">
                  {latest && (
                    <button type="button" disabled={busy} onClick={() => undo(latest.number)}>
                      {text.undoLatest}
                    </button>
                  )}
                  {next && (
                    <button type="button" disabled={busy} onClick={() => redo(next.number)}>
                      {text.redoLast}
                    </button>
                  )}
                </p>
              )}
              <ol reversed>
                {corrections.map((one) => (
                  <li key={one.number} class={one.undone ? "undone" : undefined}>
                    <span dir="auto">{described(one)}</span>{" "}
                    <small class="hint">
                      {text.made(dateText(one.made_at), one.by_you ? text.byYou : text.bySomebody)}
                      {one.undone && ` ${text.wasUndone}`}
                    </small>
                  </li>
                ))}
              </ol>
              {earlier && shown < 1000 && (
                <button type="button" class="quiet" onClick={() => setShown((number) => Math.min(1000, number * 4))}>
                  {text.more}
                </button>
              )}
            </>
          );
        }}
      </Waiting>
      <p role="status">{told}</p>
      {failed && <ErrorNotice message={failed} />}
    </div>
  );
}

/** What a correction did, in words. */
function described(one: Correction): string {
  const [from, to] = [nameOf(one.from_speaker), nameOf(one.to_speaker)];
  const start = clock(one.start_ms ?? 0);
  switch (one.kind) {
    case "CORRECTION_KIND_MERGE":
      return text.didMerge(from, to);
    case "CORRECTION_KIND_SPLIT":
      return text.didSplit(from, to, start, clock(one.end_ms ?? 0));
    case "CORRECTION_KIND_MOVE":
      return text.didMove(start, from, to);
    case "CORRECTION_KIND_WORDS":
      if (!one.text) return text.didRemove(start, one.former_text ?? "");
      return one.former_text ? text.didReword(start, one.former_text, one.text) : text.didRestore(start, one.text);
    default:
      return "";
  }
}

function nameOf(speaker: Speaker | undefined): string {
  return speaker?.alias ?? text.unknownSpeaker;
}
