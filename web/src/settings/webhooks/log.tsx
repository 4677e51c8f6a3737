import type { Webhook, WebhookDelivery } from "meetra-client";
import { Waiting } from "../../parts/waiting.js";
import { server } from "../../server/server.js";
import { useRepeated } from "../../server/use_repeated.js";
import { text as settings } from "../../strings/settings.js";
import { text } from "../../strings/webhooks.js";
import { dateText } from "../../parts/time.js";
import { Outcome } from "../outcome.js";
import { SettingsError } from "../settings_error.js";
import { useChange } from "../use_change.js";
import { usePages } from "../use_pages.js";
import { WideTable } from "../wide_table.js";

const COLUMNS = [text.when, text.event, text.state, text.attempts, text.last, ""];
/** How often what waits is looked at, milliseconds. */
const LOOK_EVERY_MS = 2000;

/** What a webhook was told, newest first, as it happens. */
export function WebhookLog({ webhook }: { webhook: Webhook }) {
  const log = usePages<WebhookDelivery>(async (page, signal) => {
    const answer = await server.listWebhookDeliveries({ webhook_id: webhook.id, ...page }, { signal });
    return { items: answer.deliveries, next: answer.next_page_token };
  });
  const change = useChange();
  const deliveries = log.value?.items ?? [];
  const underWay = deliveries.some((one) => one.state === "waiting");
  useRepeated(log, LOOK_EVERY_MS, underWay);
  const make = async (call: () => Promise<unknown>, done: string): Promise<void> => {
    await change.make(call, done);
    log.reload();
  };
  return (
    <>
      <h3>{text.log(webhook.url)}</h3>
      <Outcome change={change} />
      <Waiting answer={log} Problem={SettingsError}>
        {({ items }) =>
          items.length === 0 ? (
            <p>{text.logEmpty}</p>
          ) : (
            <WideTable label={text.log(webhook.url)} columns={COLUMNS}>
              {items.map((delivery) => (
                <DeliveryRow
                  key={delivery.id}
                  delivery={delivery}
                  busy={change.busy}
                  again={() =>
                    void make(() => server.replayWebhookDelivery({ webhook_id: webhook.id, id: delivery.id }), text.queued)
                  }
                />
              ))}
            </WideTable>
          )
        }
      </Waiting>
      <div class="row-actions">
        <button type="button" onClick={log.reload}>
          {text.reload}
        </button>
        {deliveries.some((one) => one.state === "failed") && (
          <button
            type="button"
            disabled={change.busy}
            onClick={() => void make(() => server.replayFailedWebhookDeliveries({ webhook_id: webhook.id }), text.allQueued)}
          >
            {text.allFailed}
          </button>
        )}
        {log.value?.more && (
          <button type="button" onClick={log.showMore}>
            {settings.more}
          </button>
        )}
      </div>
    </>
  );
}

function DeliveryRow({ delivery, busy, again }: { delivery: WebhookDelivery; busy: boolean; again: () => void }) {
  const when = dateText(delivery.created_at);
  const event = text.eventNames[delivery.type] ?? delivery.type;
  const last = delivery.log[delivery.log.length - 1];
  return (
    <tr>
      <th scope="row">{when}</th>
      <td>{event}</td>
      <td>{text.deliveryStates[delivery.state] ?? delivery.state}</td>
      <td>{delivery.attempts}</td>
      <td>
        {last && (last.error || text.lastGood(last.status, last.ms))}
        {last && delivery.next_attempt_at && <div class="hint">{text.next(dateText(delivery.next_attempt_at))}</div>}
      </td>
      <td class="row-actions">
        <button type="button" class="quiet" aria-label={text.againOf(event, when)} disabled={busy} onClick={again}>
          {text.again}
        </button>
      </td>
    </tr>
  );
}
