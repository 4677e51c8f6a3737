import { text } from "../strings/settings.js";
import { OrganizationForm } from "./organization_form.js";

/** The kinds in the order in which the server names them. */
const KINDS = ["email", "phone", "card", "iban", "name"] as const;

/** What is redacted in every new meeting, and whether people must have consented. */
export function PrivacySection() {
  return (
    <OrganizationForm
      fields={(policy) => (
        <>
          <fieldset>
            <legend>{text.privacy.redact}</legend>
            <p class="hint">{text.privacy.redactHint}</p>
            {KINDS.map((kind) => (
              <label key={kind} class="choice">
                <input type="checkbox" name="redact" value={kind} defaultChecked={(policy.redact ?? "").split(",").includes(kind)} />{" "}
                {text.privacy.kinds[kind]}
              </label>
            ))}
          </fieldset>
          <fieldset>
            <legend>{text.privacy.consent}</legend>
            <label class="choice">
              <input type="checkbox" name="consent" defaultChecked={policy.consent_required ?? false} aria-describedby="consent-hint" />{" "}
              {text.privacy.consentRequired}
            </label>
            <p id="consent-hint" class="hint">
              {text.privacy.consentHint}
            </p>
          </fieldset>
        </>
      )}
      read={(given) => {
        const chosen = new Set(given.getAll("redact"));
        return { redact: KINDS.filter((kind) => chosen.has(kind)).join(","), consent_required: given.has("consent") };
      }}
    />
  );
}
