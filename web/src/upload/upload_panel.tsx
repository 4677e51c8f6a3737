import { useEffect, useRef, useState } from "preact/hooks";
import { text } from "../strings/upload.js";
import { UploadRow } from "./upload_row.js";
import "./upload.css";
import { uploads } from "./uploads.js";
import type { Details } from "./uploads.js";

const NO_DETAILS: Details = { name: "", language: "", n_speakers: "", consent: "" };
const FIELDS = ["name", "language", "n_speakers"] as const;
const LABELS = { name: text.name, language: text.language, n_speakers: text.people } as const;
const HINTS = { name: text.nameHint, language: text.languageHint, n_speakers: text.peopleHint } as const;

/** Where recordings are dropped or chosen, and what is on its way; `uploaded` is called when one has come. */
export function UploadPanel({ uploaded }: { uploaded: () => void }) {
  const [states, setStates] = useState(uploads.states);
  const [details, setDetails] = useState(NO_DETAILS);
  const [over, setOver] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => uploads.watch(() => setStates(uploads.states)), []);
  useEffect(() => {
    // A browser would leave the page for a file that is dropped beside.
    const refuse = (event: Event): void => event.preventDefault();
    for (const kind of ["dragover", "drop"]) addEventListener(kind, refuse);
    return () => {
      for (const kind of ["dragover", "drop"]) removeEventListener(kind, refuse);
    };
  }, []);

  const done = states.filter(({ step }) => step === "done").length;
  const latest = useRef(uploaded);
  latest.current = uploaded;
  useEffect(() => {
    if (done > 0) latest.current();
  }, [done]);

  const send = (files: FileList | null | undefined): void => {
    const chosen = [...(files ?? [])];
    if (chosen.length === 0) return;
    uploads.add(chosen, details);
    setDetails({ ...details, name: "" });
  };
  return (
    <section class="card upload" aria-label={text.label}>
      <div
        class={over ? "drop over" : "drop"}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={(event) => {
          event.preventDefault();
          setOver(false);
          send(event.dataTransfer?.files);
        }}
      >
        <p>
          {text.drop}{" "}
          <button type="button" class="primary" onClick={() => field.current?.click()}>
            {text.choose}
          </button>
        </p>
        <input
          ref={field}
          class="hidden"
          type="file"
          multiple
          accept="audio/*,video/*"
          aria-label={text.choose}
          tabIndex={-1}
          onChange={(event) => {
            send(event.currentTarget.files);
            // The same file can be chosen again.
            event.currentTarget.value = "";
          }}
        />
        <p class="hint">{text.hint}</p>
      </div>
      <details>
        <summary>{text.details}</summary>
        <div class="upload-details">
          {FIELDS.map((name) => (
            <label key={name}>
              {LABELS[name]}
              <input
                value={details[name]}
                placeholder={HINTS[name]}
                maxLength={500}
                inputMode={name === "n_speakers" ? "numeric" : "text"}
                onInput={(event) => setDetails({ ...details, [name]: event.currentTarget.value })}
              />
            </label>
          ))}
          <label>
            {text.consent}
            <textarea
              rows={2}
              value={details.consent}
              placeholder={text.consentHint}
              onInput={(event) => setDetails({ ...details, consent: event.currentTarget.value })}
            />
          </label>
        </div>
      </details>
      {states.length > 0 && (
        <ul class="uploads" aria-label={text.list}>
          {states.map((state) => (
            <UploadRow key={state.id} state={state} />
          ))}
        </ul>
      )}
    </section>
  );
}
