import type { TargetedEvent } from "preact";
import { server } from "../server/server.js";
import { text as rights } from "../strings/rights.js";
import { text } from "../strings/settings.js";
import { Outcome } from "./outcome.js";
import { useChange } from "./use_change.js";

/** Adds a user; `added` is told once one is there. */
export function UserForm({ added }: { added: () => void }) {
  const change = useChange();
  const submit = async (event: TargetedEvent<HTMLFormElement>): Promise<void> => {
    event.preventDefault();
    const form = event.currentTarget;
    const given = new FormData(form);
    const [email, password, role] = ["email", "password", "role"].map((name) => String(given.get(name)));
    const call = (): Promise<unknown> => server.addUser({ email: email ?? "", password: password ?? "", role: role ?? "" });
    if (await change.make(call, text.users.wasAdded(email ?? ""))) {
      form.reset();
      added();
    }
  };
  return (
    <form class="card settings-form" aria-label={text.users.add} onSubmit={(event) => void submit(event)}>
      <label>
        {text.users.newEmail}
        <input name="email" type="email" autocomplete="off" maxLength={320} required />
      </label>
      <label>
        {text.users.password}
        <input
          name="password"
          type="text"
          autocomplete="off"
          spellcheck={false}
          minLength={12}
          maxLength={1024}
          required
          aria-describedby="new-password-hint"
        />
        <span id="new-password-hint" class="hint">
          {text.users.passwordHint}
        </span>
      </label>
      <label>
        {text.users.newRole}
        <select name="role">
          {Object.entries(rights.roles).map(([role, label]) => (
            <option key={role} value={role} selected={role === "member"}>
              {label}
            </option>
          ))}
        </select>
      </label>
      <Outcome change={change} />
      <div>
        <button type="submit" class="primary" disabled={change.busy}>
          {change.busy ? text.users.adding : text.users.add}
        </button>
      </div>
    </form>
  );
}
