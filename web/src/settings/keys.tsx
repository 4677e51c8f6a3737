import type { Key } from "meetra-client";
import { useState } from "preact/hooks";
import { dateText } from "../parts/time.js";
import { Waiting } from "../parts/waiting.js";
import { server } from "../server/server.js";
import { text } from "../strings/settings.js";
import { ConfirmedButton } from "./confirmed_button.js";
import { KeyForm } from "./key_form.js";
import { NewSecret } from "./new_secret.js";
import { Outcome } from "./outcome.js";
import { SettingsError } from "./settings_error.js";
import { useChange } from "./use_change.js";
import { usePages } from "./use_pages.js";
import { WideTable } from "./wide_table.js";

const { name, email, scopes, created, expiresAt, lastUsed } = text.keys;
const COLUMNS = [name, email, scopes, created, expiresAt, lastUsed, ""];

/** API keys: those of the user, for owners everybody's. */
export function KeysSection() {
  const keys = usePages<Key>(async (page, signal) => {
    const { keys: items, next_page_token: next } = await server.listKeys(page, { signal });
    return { items, next };
  });
  const [made, setMade] = useState<{ name: string; secret: string }>();
  const change = useChange();
  const revoke = async (key: Key): Promise<void> => {
    await change.make(() => server.revokeKey({ id: key.id }), text.keys.revoked(key.name));
    keys.reload();
  };
  return (
    <>
      <p class="hint">{text.keys.intro}</p>
      <KeyForm
        made={(name, secret) => {
          setMade({ name, secret });
          keys.reload();
        }}
      />
      {made && <NewSecret message={text.keys.made(made.name)} label={text.keys.secret} secret={made.secret} />}
      <Outcome change={change} />
      <Waiting answer={keys} Problem={SettingsError}>
        {({ items }) =>
          items.length === 0 ? (
            <p>{text.keys.none}</p>
          ) : (
            <WideTable label={text.keys.list} columns={COLUMNS}>
              {items.map((key) => (
                <tr key={key.id}>
                  <th scope="row">
                    <bdi>{key.name}</bdi>
                  </th>
                  <td>{key.email}</td>
                  <td>{key.scopes.map((scope) => text.keys.scopeNames[scope] ?? scope).join("; ")}</td>
                  <td>{dateText(key.created_at)}</td>
                  <td>{key.expires_at ? dateText(key.expires_at) : text.keys.never}</td>
                  <td>{key.last_used_at ? dateText(key.last_used_at) : text.keys.notYet}</td>
                  <td class="row-actions">
                    <ConfirmedButton
                      label={text.keys.revoke}
                      name={text.keys.revokeOf(key.name)}
                      title={text.keys.revokeTitle(key.name)}
                      explanation={text.keys.revokeText}
                      disabled={change.busy}
                      run={() => void revoke(key)}
                    />
                  </td>
                </tr>
              ))}
            </WideTable>
          )
        }
      </Waiting>
      {keys.value?.more && (
        <button type="button" onClick={keys.showMore}>
          {text.more}
        </button>
      )}
    </>
  );
}
