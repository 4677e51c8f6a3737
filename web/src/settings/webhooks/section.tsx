import type { Webhook } from "meetra-client";
import { useState } from "preact/hooks";
import { Waiting } from "../../parts/waiting.js";
import { server } from "../../server/server.js";
import { useAnswer } from "../../server/use_answer.js";
import { text } from "../../strings/webhooks.js";
import { NewSecret } from "../new_secret.js";
import { Outcome } from "../outcome.js";
import { SettingsError } from "../settings_error.js";
import { useChange } from "../use_change.js";
import { WideTable } from "../wide_table.js";
import { WebhookForm } from "./form.js";
import { WebhookLog } from "./log.js";
import { WebhookRow } from "./row.js";
import type { WebhookActions } from "./row.js";

/** Webhooks: where the organization's own systems are told what happens. */
export function WebhooksSection() {
  const answer = useAnswer(async (signal) => (await server.listWebhooks({}, { signal })).webhooks, []);
  const change = useChange();
  const [fresh, setFresh] = useState<{ message: string; secret: string }>();
  /** The webhook whose log is shown, and how often that was asked for: each time it is read anew. */
  const [shown, setShown] = useState({ id: "", round: 0 });
  const showLog = (id: string): void => setShown(({ round }) => ({ id, round: round + 1 }));
  const make = async (call: () => Promise<unknown>, done: string): Promise<boolean> => {
    const made = await change.make(call, done);
    answer.reload();
    return made;
  };
  const rotate = async ({ id, url }: Webhook): Promise<void> => {
    let secret = "";
    if (await make(async () => ({ secret } = await server.rotateWebhookSecret({ id })), ""))
      setFresh({ message: text.rotated(url), secret });
  };
  const test = async ({ id }: Webhook): Promise<void> => {
    if (await make(() => server.testWebhook({ id }), text.tested)) showLog(id);
  };
  const actionsOf = (webhook: Webhook): WebhookActions => ({
    test: () => void test(webhook),
    pause: (paused) => void make(() => server.updateWebhook({ id: webhook.id, paused }), paused ? text.pausedNow : text.resumed),
    rotate: () => void rotate(webhook),
    remove: () => void make(() => server.deleteWebhook({ id: webhook.id }), text.removed),
    showLog: () => showLog(webhook.id),
  });
  const logged = answer.value?.find(({ id }) => id === shown.id);
  return (
    <>
      <p class="hint">{text.intro}</p>
      <WebhookForm
        made={(url, secret) => {
          setFresh({ message: text.made(url), secret });
          answer.reload();
        }}
      />
      {fresh && <NewSecret {...fresh} label={text.secret} />}
      <Outcome change={change} />
      <Waiting answer={answer} Problem={SettingsError}>
        {(webhooks) =>
          webhooks.length === 0 ? (
            <p>{text.none}</p>
          ) : (
            <WideTable label={text.list} columns={[text.url, text.events, text.state, ""]}>
              {webhooks.map((webhook) => (
                <WebhookRow key={webhook.id} webhook={webhook} busy={change.busy} actions={actionsOf(webhook)} />
              ))}
            </WideTable>
          )
        }
      </Waiting>
      {logged && <WebhookLog key={shown.round} webhook={logged} />}
    </>
  );
}
