import { text } from "../strings/settings.js";
import { OrganizationForm } from "./organization_form.js";

const PARTS = [
  { field: "retention_audio_days", label: text.retention.audio, hint: text.retention.audioHint },
  { field: "retention_transcript_days", label: text.retention.transcript, hint: text.retention.transcriptHint },
  { field: "retention_meeting_days", label: text.retention.meeting, hint: text.retention.meetingHint },
] as const;

/** For how long recordings, texts and meetings are kept. */
export function RetentionSection() {
  return (
    <>
      <p>
        {text.retention.intro} {text.retention.forever}
      </p>
      <OrganizationForm
        fields={(policy) =>
          PARTS.map(({ field, label, hint }) => (
            <fieldset key={field}>
              <legend>{label}</legend>
              <label>
                <input
                  name={field}
                  type="number"
                  min={0}
                  max={36500}
                  step={1}
                  required
                  defaultValue={String(policy[field] ?? 0)}
                  aria-label={text.retention.daysOf(label)}
                  aria-describedby={`${field}-hint`}
                />{" "}
                {text.retention.days}
              </label>
              <p id={`${field}-hint`} class="hint">
                {hint}
              </p>
            </fieldset>
          ))
        }
        read={(given) => Object.fromEntries(PARTS.map(({ field }) => [field, Number(given.get(field))]))}
        risk={(before, after) =>
          PARTS.some(({ field }) => isShorter(before[field] ?? 0, after[field]))
            ? { title: text.retention.warning, explanation: text.retention.warningText, label: text.retention.confirm }
            : undefined
        }
      />
    </>
  );
}

/** Whether fewer days are kept than before; 0 is for ever. */
function isShorter(before: number, after: number | undefined): boolean {
  return after !== undefined && after > 0 && (before === 0 || after < before);
}
