import { useState } from "preact/hooks";
import type { TargetedEvent } from "preact";
import { ErrorNotice } from "../parts/error_notice.js";
import { useRights } from "../server/rights.js";
import type { Right } from "../server/rights.js";
import { server } from "../server/server.js";
import { text } from "../strings/settings.js";
import { useChange } from "./use_change.js";

/** What a scope opens nothing without. */
const NEEDED: Readonly<Record<string, Right | undefined>> = {
  upload: "RIGHT_UPLOAD",
  read: "RIGHT_READ",
  live: "RIGHT_LIVE",
  admin: "RIGHT_EDIT",
};

/** Makes a key; `made` is told its name and its secret. */
export function KeyForm({ made }: { made: (name: string, secret: string) => void }) {
  const change = useChange();
  const { may } = useRights();
  const [missing, setMissing] = useState(false);
  const submit = async (event: TargetedEvent<HTMLFormElement>): Promise<void> => {
    event.preventDefault();
    const form = event.currentTarget;
    const given = new FormData(form);
    const name = String(given.get("name"));
    const scopes = given.getAll("scope").map(String);
    setMissing(scopes.length === 0);
    if (scopes.length === 0) return;
    let secret = "";
    const request = { name, scopes, expires_in_days: Number(given.get("days")) };
    if (await change.make(async () => ({ secret } = await server.createKey(request)), "")) {
      form.reset();
      made(name, secret);
    }
  };
  const problem = missing ? text.keys.needScope : change.problem;
  return (
    <form class="card settings-form" onSubmit={(event) => void submit(event)}>
      <label>
        {text.keys.name}
        <input name="name" required maxLength={200} placeholder={text.keys.nameHint} />
      </label>
      <fieldset>
        <legend>{text.keys.scopes}</legend>
        {Object.entries(text.keys.scopeNames).map(([scope, label]) => (
          <label key={scope} class="choice" title={may(NEEDED[scope] ?? "RIGHT_ACCOUNT") ? undefined : text.keys.notYours}>
            <input type="checkbox" name="scope" value={scope} disabled={!may(NEEDED[scope] ?? "RIGHT_ACCOUNT")} /> {label}
          </label>
        ))}
      </fieldset>
      <label>
        {text.keys.expires}
        <input name="days" type="number" min={0} max={3650} step={1} required defaultValue="90" aria-describedby="key-days-hint" />
        <span id="key-days-hint" class="hint">
          {text.keys.expiresHint}
        </span>
      </label>
      {problem && <ErrorNotice message={problem} />}
      <div>
        <button type="submit" class="primary" disabled={change.busy}>
          {change.busy ? text.keys.making : text.keys.make}
        </button>
      </div>
    </form>
  );
}
