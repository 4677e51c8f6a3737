import { useState } from "preact/hooks";
import { ErrorNotice } from "../parts/error_notice.js";
import { usePageTitle } from "../parts/page_title.js";
import { clock } from "../parts/time.js";
import { linkTo } from "../route.js";
import { errorText } from "../server/error_text.js";
import { useRights } from "../server/rights.js";
import { text } from "../strings/live.js";
import type { LiveState } from "./live_state.js";
import { Recorder, remembered } from "./recorder.js";
import { closeSources, openSources, sourceProblem } from "./sources.js";
import type { Source, SourceKind } from "./sources.js";
import { useTick } from "./use_live.js";

interface HeadProps {
  readonly sessionId: string;
  readonly name: string;
  readonly state: LiveState;
  readonly recorder: Recorder | undefined;
}

/** What the meeting is, how its connection does, and what can be done. */
export function LiveHead({ sessionId, name, state, recorder }: HeadProps) {
  const { may } = useRights();
  usePageTitle(name);
  // Whether there is a connection is no event of the meeting.
  useTick(1000);
  return (
    <header class="card live-head">
      <div>
        <a href={linkTo("/live")}>{text.running.back}</a>
        <h1 id="live-name">
          <bdi>{name}</bdi>
        </h1>
        <p role="status" class="live-status">
          <Status state={state} recorder={recorder} />
        </p>
      </div>
      <div class="live-actions">
        {state.finished?.status === "ready" && (
          <a class="button" href={linkTo(`/meetings/${state.finished.file_hash}`)}>
            {text.meeting.report}
          </a>
        )}
        {recorder?.active && !state.finished && (
          <>
            <button type="button" aria-pressed={recorder.muted} onClick={() => (recorder.muted = !recorder.muted)}>
              {recorder.muted ? text.meeting.unmute : text.meeting.mute}
            </button>
            <button type="button" class="danger" onClick={() => void recorder.finish()}>
              {text.meeting.finish}
            </button>
          </>
        )}
        {recorder?.active && !state.finished && <AddSound recorder={recorder} />}
        {!recorder && !state.finished && may("RIGHT_LIVE") && <GoOn sessionId={sessionId} />}
      </div>
    </header>
  );
}

function Status({ state, recorder }: Pick<HeadProps, "state" | "recorder">) {
  if (state.finished) {
    const { status, message } = state.finished;
    // Of a meeting in which all went well it says nothing but that.
    if (status === "ready") return <>{message === "Ready" ? text.meeting.ended : `${text.meeting.ended} ${message}`}</>;
    return <>{`${text.meeting.failed} ${message}`}</>;
  }
  const time = clock(state.throughMs);
  if (!recorder || recorder.problem !== undefined) {
    return (
      <>
        {text.meeting.watching} · <span aria-hidden="true">{time}</span>
      </>
    );
  }
  if (recorder.finishing) return <>{text.meeting.finishing}</>;
  if (!recorder.meeting.connected) return <strong class="live-lost">{text.meeting.connecting}</strong>;
  const lag = Math.round(recorder.meeting.lagMs / 1000);
  return (
    <>
      <span class="live-dot" aria-hidden="true" /> {recorder.muted ? text.meeting.muted : text.meeting.recording} ·{" "}
      {text.meeting.connected}
      <span aria-hidden="true">
        {" "}
        · {time}
        {lag >= 10 && ` · ${text.meeting.lag(lag)}`}
      </span>
    </>
  );
}

/** Record what is not recorded yet, or not any more. */
function AddSound({ recorder }: { recorder: Recorder }) {
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);
  const add = async (kind: SourceKind): Promise<void> => {
    setBusy(true);
    setProblem(undefined);
    try {
      await recorder.add(kind);
    } catch (thrown) {
      setProblem(sourceProblem(thrown) ?? errorText(thrown));
    }
    setBusy(false);
  };
  return (
    <>
      {(["microphone", "tab"] as const)
        .filter((kind) => !recorder.kinds.includes(kind))
        .map((kind) => (
          <button key={kind} type="button" disabled={busy} onClick={() => void add(kind)}>
            {text.meeting.add[kind]}
          </button>
        ))}
      {problem && <ErrorNotice message={problem} />}
    </>
  );
}

/** After the page was loaded again: record on into the same meeting. */
function GoOn({ sessionId }: { sessionId: string }) {
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);
  const before = remembered(sessionId);
  if (!before) return null;
  const goOn = async (): Promise<void> => {
    setBusy(true);
    setProblem(undefined);
    let sources: Source[] = [];
    try {
      sources = await openSources(before.tracks.map(({ kind }) => kind));
      await Recorder.begin(sources, before.plan, before);
    } catch (thrown) {
      closeSources(sources);
      setProblem(sourceProblem(thrown) ?? errorText(thrown));
    }
    setBusy(false);
  };
  return (
    <div class="live-go-on">
      <p class="hint">{text.meeting.goOnExplained}</p>
      {problem && <ErrorNotice message={problem} />}
      <button type="button" class="primary" disabled={busy} onClick={() => void goOn()}>
        {text.meeting.goOn}
      </button>
    </div>
  );
}
