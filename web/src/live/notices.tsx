import { text } from "../strings/live.js";
import type { Notice } from "./live_state.js";

const LABELS = { warning: text.notices.warning, alert: text.notices.alert, note: "" } as const;

/** Warnings, alerts, and who came and left; the newest first. */
export function Notices({ notices }: { notices: readonly Notice[] }) {
  return (
    <section class="card" aria-labelledby="live-notices">
      <h2 id="live-notices">{text.notices.title}</h2>
      {notices.length === 0 && <p class="hint">{text.notices.none}</p>}
      <div role="log" aria-labelledby="live-notices">
        <ul class="live-notices">
          {[...notices].reverse().map(({ id, kind, text: told, state }) => (
            <li key={id} class={`live-notice ${kind}`}>
              {LABELS[kind] && <strong>{LABELS[kind]}: </strong>}
              <bdi>{told}</bdi>
              {state && <em> ({state})</em>}
            </li>
          ))}
        </ul>
      </div>
    </section>
  );
}
