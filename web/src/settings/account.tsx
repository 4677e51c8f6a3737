import type { TargetedEvent } from "preact";
import { useState } from "preact/hooks";
import { ErrorNotice } from "../parts/error_notice.js";
import { useRights } from "../server/rights.js";
import { server } from "../server/server.js";
import { session } from "../server/session.js";
import { text as rights } from "../strings/rights.js";
import { text } from "../strings/settings.js";
import { ConfirmedButton } from "./confirmed_button.js";
import { Outcome } from "./outcome.js";
import { useChange } from "./use_change.js";

/** The user's own password, and where they are signed in. */
export function AccountSection() {
  const { me } = useRights();
  const change = useChange();
  const [differ, setDiffer] = useState(false);
  const submit = async (event: TargetedEvent<HTMLFormElement>): Promise<void> => {
    event.preventDefault();
    const form = event.currentTarget;
    const given = new FormData(form);
    const [current_password, new_password] = [String(given.get("current")), String(given.get("wanted"))];
    const same = new_password === given.get("again");
    setDiffer(!same);
    if (!same) return;
    const call = async (): Promise<void> =>
      session.renew((await server.changePassword({ current_password, new_password })).token);
    if (await change.make(call, text.account.changed)) form.reset();
  };
  const everywhere = async (): Promise<void> => {
    if (await change.make(() => server.logout({ everywhere: true }), "")) await session.signOut();
  };
  return (
    <>
      {me && <p>{text.account.who(me.email, rights.roleNames[me.role] ?? me.role, me.organization_name)}</p>}
      <form class="settings-form" onSubmit={(event) => void submit(event)}>
        <label>
          {text.account.current}
          <input name="current" type="password" autocomplete="current-password" maxLength={1024} required />
        </label>
        <label>
          {text.account.wanted}
          <input
            name="wanted"
            type="password"
            autocomplete="new-password"
            minLength={12}
            maxLength={1024}
            required
            aria-describedby="wanted-hint"
          />
          <span id="wanted-hint" class="hint">
            {text.account.wantedHint}
          </span>
        </label>
        <label>
          {text.account.again}
          <input name="again" type="password" autocomplete="new-password" required />
        </label>
        {differ && <ErrorNotice message={text.account.differ} />}
        <Outcome change={change} />
        <div>
          <button type="submit" class="primary" disabled={change.busy}>
            {text.account.change}
          </button>
        </div>
      </form>
      <ConfirmedButton
        label={text.account.everywhere}
        title={text.account.everywhere}
        explanation={text.account.everywhereText}
        disabled={change.busy}
        run={() => void everywhere()}
      />
    </>
  );
}
