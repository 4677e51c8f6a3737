import type { Webhook } from "meetra-client";
import { text } from "../../strings/webhooks.js";
import { ConfirmedButton } from "../confirmed_button.js";
import { dateText } from "../../parts/time.js";

/** What somebody can do with a webhook. */
export interface WebhookActions {
  readonly test: () => void;
  readonly pause: (paused: boolean) => void;
  readonly rotate: () => void;
  readonly remove: () => void;
  readonly showLog: () => void;
}

/** A webhook: where it goes, when, how it fares, and what can be done with it. */
export function WebhookRow({ webhook, busy, actions }: { webhook: Webhook; busy: boolean; actions: WebhookActions }) {
  const { url, paused } = webhook;
  return (
    <tr>
      <th scope="row">
        <bdi>{url}</bdi>
        {webhook.description && (
          <div class="hint">
            <bdi>{webhook.description}</bdi>
          </div>
        )}
      </th>
      <td>{webhook.events.map((type) => text.eventNames[type] ?? type).join("; ")}</td>
      <td>
        <State webhook={webhook} />
      </td>
      <td class="row-actions">
        <button type="button" class="quiet" aria-label={text.showLogOf(url)} onClick={actions.showLog}>
          {text.showLog}
        </button>
        {!paused && (
          <button type="button" class="quiet" aria-label={text.testOf(url)} disabled={busy} onClick={actions.test}>
            {text.test}
          </button>
        )}
        <button
          type="button"
          class="quiet"
          aria-label={paused ? text.resumeOf(url) : text.pauseOf(url)}
          disabled={busy}
          onClick={() => actions.pause(!paused)}
        >
          {paused ? text.resume : text.pause}
        </button>
        <ConfirmedButton
          label={text.rotate}
          name={text.rotateOf(url)}
          title={text.rotateTitle}
          explanation={text.rotateText}
          disabled={busy}
          run={actions.rotate}
        />
        <ConfirmedButton
          label={text.remove}
          name={text.removeOf(url)}
          title={text.removeTitle(url)}
          explanation={text.removeText}
          disabled={busy}
          run={actions.remove}
        />
      </td>
    </tr>
  );
}

function State({ webhook }: { webhook: Webhook }) {
  const lines = [
    webhook.paused ? text.paused(webhook.note) : webhook.failing_since ? text.failing(dateText(webhook.failing_since)) : text.active,
    webhook.waiting > 0 && text.waiting(webhook.waiting),
    webhook.dropped > 0 && text.dropped(webhook.dropped),
    webhook.old_secret_until && text.oldSecret(dateText(webhook.old_secret_until)),
  ];
  return (
    <>
      {lines.map((line) => line && <div key={line}>{line}</div>)}
    </>
  );
}
