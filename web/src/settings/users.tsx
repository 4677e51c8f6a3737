import type { User } from "meetra-client";
import { dateText } from "../parts/time.js";
import { Waiting } from "../parts/waiting.js";
import { server } from "../server/server.js";
import { text as rights } from "../strings/rights.js";
import { text } from "../strings/settings.js";
import { ConfirmedButton } from "./confirmed_button.js";
import { Outcome } from "./outcome.js";
import { SettingsError } from "./settings_error.js";
import { useChange } from "./use_change.js";
import { UserForm } from "./user_form.js";
import { usePages } from "./use_pages.js";
import { WideTable } from "./wide_table.js";

/** The users of the organization: their roles, and who may sign in. */
export function UsersSection() {
  const users = usePages<User>(async (page, signal) => {
    const { users: items, next_page_token: next } = await server.listUsers(page, { signal });
    return { items, next };
  });
  const change = useChange();
  const make = async (call: () => Promise<unknown>, done: string): Promise<void> => {
    await change.make(call, done);
    users.reload();
  };
  const update = (user: User, changes: { role?: string; disabled?: boolean }): void =>
    void make(() => server.updateUser({ id: user.id, ...changes }), text.users.changed(user.email));
  return (
    <>
      <p class="hint">{text.users.intro}</p>
      <p class="hint">{text.users.rolesHint}</p>
      <UserForm added={users.reload} />
      <Outcome change={change} />
      <Waiting answer={users} Problem={SettingsError}>
        {({ items }) => (
          <WideTable label={text.users.list} columns={[text.users.email, text.users.role, text.users.state, text.users.added, ""]}>
            {items.map((user) => (
              <UserRow
                key={user.id}
                user={user}
                busy={change.busy}
                update={(changes) => update(user, changes)}
                remove={() => void make(() => server.deleteUser({ id: user.id }), text.users.removed(user.email))}
              />
            ))}
          </WideTable>
        )}
      </Waiting>
      {users.value?.more && (
        <button type="button" onClick={users.showMore}>
          {text.more}
        </button>
      )}
    </>
  );
}

function UserRow({
  user,
  busy,
  update,
  remove,
}: {
  user: User;
  busy: boolean;
  update: (changes: { role?: string; disabled?: boolean }) => void;
  remove: () => void;
}) {
  return (
    <tr>
      <th scope="row">{user.email}</th>
      <td>
        <select
          key={user.role}
          aria-label={text.users.roleOf(user.email)}
          value={user.role}
          disabled={busy}
          onChange={(event) => update({ role: event.currentTarget.value })}
        >
          {Object.entries(rights.roles).map(([role, label]) => (
            <option key={role} value={role}>
              {label}
            </option>
          ))}
        </select>
      </td>
      <td>{user.disabled ? text.users.disabled : text.users.enabled}</td>
      <td>{dateText(user.created_at)}</td>
      <td class="row-actions">
        <button
          type="button"
          class="quiet"
          disabled={busy}
          aria-label={user.disabled ? text.users.enableOf(user.email) : text.users.disableOf(user.email)}
          onClick={() => update({ disabled: !user.disabled })}
        >
          {user.disabled ? text.users.enable : text.users.disable}
        </button>
        <ConfirmedButton
          label={text.users.remove}
          name={text.users.removeOf(user.email)}
          title={text.users.removeTitle(user.email)}
          explanation={text.users.removeText}
          disabled={busy}
          run={remove}
        />
      </td>
    </tr>
  );
}
