import { linkTo } from "../route.js";
import { text } from "../strings/upload.js";
import { uploads } from "./uploads.js";
import type { UploadState } from "./uploads.js";

/** One file on its way, or there. */
export function UploadRow({ state }: { state: UploadState }) {
  const { id, name, step } = state;
  const failed = step === "failed";
  return (
    <li>
      <bdi class="file">{name}</bdi>
      {!failed && step !== "done" && <progress max={state.size} value={state.sent} aria-label={text.progressOf(name)} />}
      <span class={failed ? "failed" : "hint"} role={failed ? "alert" : undefined}>
        {failed ? state.problem : said(state)}
      </span>
      <span class="actions">
        {step === "done" && state.fileHash && (
          <a href={linkTo(`/meetings/${state.fileHash}`)} aria-label={text.open(name)}>
            {text.openShort}
          </a>
        )}
        {failed && (
          <button type="button" aria-label={text.againOf(name)} onClick={() => uploads.retry(id)}>
            {text.again}
          </button>
        )}
        <button
          type="button"
          aria-label={step === "done" || failed ? text.removeOf(name) : text.stopOf(name)}
          onClick={() => uploads.remove(id)}
        >
          {step === "done" || failed ? text.remove : text.stop}
        </button>
      </span>
    </li>
  );
}

function said({ step, sent, size }: UploadState): string {
  const percent = size > 0 ? Math.floor((100 * sent) / size) : 0;
  if (step === "sending") return text.sending(percent);
  if (step === "resumed") return text.resumed(percent);
  return { waiting: text.waiting, broken: text.broken, storing: text.storing, done: text.done, failed: "" }[step];
}
