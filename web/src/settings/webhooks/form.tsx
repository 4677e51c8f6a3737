import type { TargetedEvent } from "preact";
import { useState } from "preact/hooks";
import { ErrorNotice } from "../../parts/error_notice.js";
import { server } from "../../server/server.js";
import { text } from "../../strings/webhooks.js";
import { useChange } from "../use_change.js";

/** Adds a webhook; `made` is told its address and its secret. */
export function WebhookForm({ made }: { made: (url: string, secret: string) => void }) {
  const change = useChange();
  const [missing, setMissing] = useState(false);
  const submit = async (event: TargetedEvent<HTMLFormElement>): Promise<void> => {
    event.preventDefault();
    const form = event.currentTarget;
    const given = new FormData(form);
    const events = given.getAll("event").map(String);
    setMissing(events.length === 0);
    if (events.length === 0) return;
    const request = { url: String(given.get("url")).trim(), description: String(given.get("description")), events };
    let secret = "";
    if (await change.make(async () => ({ secret } = await server.createWebhook(request)), "")) {
      form.reset();
      made(request.url, secret);
    }
  };
  const problem = missing ? text.needEvent : change.problem;
  return (
    <form class="card settings-form" onSubmit={(event) => void submit(event)}>
      <label>
        {text.url}
        <input name="url" type="url" required maxLength={2000} placeholder={text.urlHint} />
      </label>
      <label>
        {text.description}
        <input name="description" maxLength={200} placeholder={text.descriptionHint} />
      </label>
      <fieldset>
        <legend>{text.events}</legend>
        {text.offered.map((type) => (
          <label key={type} class="choice">
            <input type="checkbox" name="event" value={type} defaultChecked /> {text.eventNames[type]}
          </label>
        ))}
      </fieldset>
      {problem && <ErrorNotice message={problem} />}
      <div>
        <button type="submit" class="primary" disabled={change.busy}>
          {change.busy ? text.making : text.make}
        </button>
      </div>
    </form>
  );
}
