import { useState } from "preact/hooks";
import { ErrorNotice } from "../parts/error_notice.js";
import { goTo, linkTo } from "../route.js";
import { errorText } from "../server/error_text.js";
import { text } from "../strings/live.js";
import { Recorder, useRecorder } from "./recorder.js";
import type { MeetingPlan } from "./recorder.js";
import { closeSources, openSources, sourceProblem, whyNotRecordable } from "./sources.js";
import type { Source, SourceKind } from "./sources.js";

const lines = (value: FormDataEntryValue | null): string[] =>
  String(value ?? "")
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);

/** What a meeting is, and what of this computer is recorded. */
export function StartForm() {
  const [several, setSeveral] = useState(true);
  const [microphone, setMicrophone] = useState(true);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | undefined>(whyNotRecordable);
  const recorder = useRecorder();

  async function begin(form: FormData): Promise<void> {
    const kinds: SourceKind[] = (["microphone", "tab"] as const).filter((kind) => form.has(kind));
    if (kinds.length === 0) return setProblem(text.problems.noSource);
    const plan: MeetingPlan = {
      name: String(form.get("name") ?? "").trim(),
      me: several ? undefined : String(form.get("me") ?? "").trim(),
      language: String(form.get("language") ?? "").trim(),
      terms: lines(form.get("terms")),
      consent: lines(form.get("consent")),
    };
    setBusy(true);
    setProblem(undefined);
    let sources: Source[] = [];
    try {
      sources = await openSources(kinds);
      const { meeting } = await Recorder.begin(sources, plan);
      goTo(`/live/${meeting.sessionId}`);
    } catch (thrown) {
      closeSources(sources);
      setProblem(sourceProblem(thrown) ?? errorText(thrown));
      setBusy(false);
    }
  }

  // One at a time: of another this page could not say any more how to end it.
  if (recorder?.active && !busy) {
    return (
      <section class="card live-start">
        <h2>{text.start.title}</h2>
        <p>
          {text.start.alreadyRecording} <a href={linkTo(`/live/${recorder.meeting.sessionId}`)}>{text.start.toRecording}</a>
        </p>
      </section>
    );
  }
  return (
    <form
      class="card live-start"
      onSubmit={(event) => {
        event.preventDefault();
        void begin(new FormData(event.currentTarget));
      }}
    >
      <h2>{text.start.title}</h2>
      <p class="hint">{text.start.explained}</p>
      {problem && <ErrorNotice message={problem} />}
      <label>
        {text.start.name}
        <input name="name" maxLength={500} placeholder={text.start.namePlaceholder} autocomplete="off" />
      </label>
      <fieldset>
        <legend>{text.start.sources}</legend>
        <label class="choice">
          <input
            type="checkbox"
            name="microphone"
            checked={microphone}
            onChange={(event) => setMicrophone(event.currentTarget.checked)}
          />
          {text.start.microphone}
        </label>
        <label class="choice">
          <input type="checkbox" name="tab" aria-describedby="live-tab" />
          {text.start.tab}
        </label>
        <p id="live-tab" class="hint">
          {text.start.tabExplained}
        </p>
      </fieldset>
      {microphone && (
        <fieldset>
          <legend>{text.start.who}</legend>
          <label class="choice">
            <input type="radio" name="who" checked={several} onChange={() => setSeveral(true)} />
            {text.start.several}
          </label>
          <label class="choice">
            <input type="radio" name="who" checked={!several} onChange={() => setSeveral(false)} />
            {text.start.me}
          </label>
          {!several && (
            <label>
              {text.start.myName}
              <input name="me" maxLength={200} autocomplete="name" />
            </label>
          )}
        </fieldset>
      )}
      <details>
        <summary>{text.start.more}</summary>
        <label>
          {text.start.language}
          <input name="language" maxLength={35} autocomplete="off" aria-describedby="live-language" />
        </label>
        <p id="live-language" class="hint">
          {text.start.languageExplained}
        </p>
        <label>
          {text.start.terms}
          <textarea name="terms" rows={3} aria-describedby="live-terms" />
        </label>
        <p id="live-terms" class="hint">
          {text.start.termsExplained}
        </p>
        <label>
          {text.start.consent}
          <textarea name="consent" rows={2} aria-describedby="live-consent" />
        </label>
        <p id="live-consent" class="hint">
          {text.start.consentExplained}
        </p>
      </details>
      <button class="primary" disabled={busy}>
        {busy ? text.start.beginning : text.start.begin}
      </button>
    </form>
  );
}
