import type { Organization, OrganizationPolicyInput } from "meetra-client";
import type { ComponentChildren, TargetedEvent } from "preact";
import { useRef, useState } from "preact/hooks";
import { useLacking } from "../parts/lacking.js";
import { Waiting } from "../parts/waiting.js";
import { server } from "../server/server.js";
import { useAnswer } from "../server/use_answer.js";
import { text } from "../strings/settings.js";
import { ConfirmDialog } from "./confirmed_button.js";
import { Outcome } from "./outcome.js";
import { SettingsError } from "./settings_error.js";
import { useChange } from "./use_change.js";

type Policy = Organization["policy"];

/** What a form is filled with, and how it is read. */
export interface PolicyForm {
  /** The fields, filled with the policy as it is. */
  readonly fields: (policy: Policy) => ComponentChildren;
  /** The settings in the fields. */
  readonly read: (given: FormData) => OrganizationPolicyInput;
  /** What cannot be undone of the settings: asked before they are saved. */
  readonly risk?: (before: Policy, after: OrganizationPolicyInput) => { title: string; explanation: string; label: string } | undefined;
}

/** A part of the organization's policy that is changed by one form. Only what is another than before is sent. */
export function OrganizationForm({ fields, read, risk }: PolicyForm) {
  const answer = useAnswer(async (signal) => (await server.getOrganization({}, { signal })).organization, []);
  const change = useChange();
  const lacking = useLacking("RIGHT_ADMINISTER");
  const dialog = useRef<HTMLDialogElement>(null);
  const [pending, setPending] = useState<OrganizationPolicyInput>({});
  const organization = answer.value;
  const save = async (policy: OrganizationPolicyInput): Promise<void> => {
    if (await change.make(() => server.updateOrganization({ policy }), text.saved)) answer.reload();
  };
  const submit = (event: TargetedEvent<HTMLFormElement>): void => {
    event.preventDefault();
    if (!organization) return;
    const changed = changes(organization.policy, read(new FormData(event.currentTarget)));
    if (Object.keys(changed).length === 0) return void change.make(async () => undefined, text.unchanged);
    setPending(changed);
    if (risk?.(organization.policy, changed)) dialog.current?.showModal();
    else void save(changed);
  };
  const asked = organization && risk?.(organization.policy, pending);
  return (
    <>
      <Waiting answer={answer} Problem={SettingsError}>
        {({ name, policy }) => (
          <form class="settings-form" onSubmit={submit}>
            <p class="hint">{text.organization(name)}</p>
            <fieldset class="unframed" disabled={lacking !== undefined}>
              {fields(policy)}
            </fieldset>
            <Outcome change={change} />
            {lacking !== undefined ? (
              <p class="hint">{lacking}</p>
            ) : (
              <div>
                <button type="submit" class="primary" disabled={change.busy}>
                  {change.busy ? text.saving : text.save}
                </button>
              </div>
            )}
          </form>
        )}
      </Waiting>
      <ConfirmDialog
        dialog={dialog}
        label={asked?.label ?? ""}
        title={asked?.title ?? ""}
        explanation={asked?.explanation ?? ""}
        run={() => void save(pending)}
      />
    </>
  );
}

function changes(before: Policy, after: OrganizationPolicyInput): OrganizationPolicyInput {
  return Object.fromEntries(Object.entries(after).filter(([name, value]) => before?.[name as keyof Policy] !== value));
}
