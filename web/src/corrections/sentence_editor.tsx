import { MeetraError } from "meetra-client";
import { useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { useMeeting } from "../meeting/meeting_context.js";
import type { Sentence } from "../meeting/transcript_model.js";
import { ErrorNotice } from "../parts/error_notice.js";
import { clock } from "../parts/time.js";
import { errorText } from "../server/error_text.js";
import { server } from "../server/server.js";
import { text } from "../strings/corrections.js";
import { drafts, NEW_SPEAKER } from "./drafts.js";
import type { Draft } from "./drafts.js";
import "./corrections.css";

// The server's limit.
const MAX_LETTERS = 4000;

interface SentenceEditorProps {
  readonly sentence: Sentence;
  /** Whether somebody has just opened it: then the keyboard goes to its words. */
  readonly focused: boolean;
  /** It was saved, or given up. */
  readonly close: (number: number) => void;
}

/** The words of a sentence and who said them, to be corrected. */
export function SentenceEditor({ sentence, focused, close }: SentenceEditorProps) {
  const { fileHash, people, changed } = useMeeting();
  const { number } = sentence;
  const unchanged: Draft = { text: sentence.text, speaker: sentence.speaker, replaces: sentence.text };
  const [draft, setDraft] = useState(() => drafts.of(fileHash, number) ?? unchanged);
  const [saving, setSaving] = useState(false);
  const [failed, setFailed] = useState<string>();
  const words = useRef<HTMLTextAreaElement>(null);
  const reason = useId();
  const stale = draft.replaces !== sentence.text;
  // Before it is drawn, so that no key that follows goes elsewhere.
  useLayoutEffect(() => {
    if (!focused) return;
    words.current?.focus();
    words.current?.select();
  }, [focused]);

  const change = (part: Partial<Draft>): void => {
    const next = { ...draft, ...part };
    setDraft(next);
    drafts.keep(fileHash, number, next);
  };

  /** Save what was typed; `removed`: in place of it, that nobody said the sentence. */
  const save = async (removed = false): Promise<void> => {
    const typed = removed ? "" : draft.text.split(/\s+/u).filter(Boolean).join(" ");
    if (saving) return;
    if (typed === "" && !removed && sentence.text !== "") {
      setFailed(text.empty);
      words.current?.focus();
      return;
    }
    drafts.keep(fileHash, number, draft);
    setSaving(true);
    setFailed(undefined);
    let reworded = false;
    try {
      if (typed !== sentence.text) {
        // What is shown as the sentence by now is what is replaced.
        const said = removed ? { remove: true } : { text: typed };
        const correction = { ...said, replaces: sentence.text };
        await server.correctSentence({ file_hash: fileHash, number, correction });
        reworded = true;
      }
      if (draft.speaker !== sentence.speaker) {
        const correction = draft.speaker === NEW_SPEAKER ? { new_speaker: true } : { speaker: draft.speaker };
        await server.moveSentence({ file_hash: fileHash, number, correction });
      }
      close(number);
      changed();
    } catch (error) {
      const conflict = error instanceof MeetraError && error.reason === "SENTENCE_CHANGED";
      // The words are saved by now, who said them is not: they are no conflict at the next try.
      if (reworded) change({ text: typed, replaces: typed });
      // How it reads now is shown once it is read anew.
      if (conflict || reworded) changed();
      if (!conflict) setFailed(`${errorText(error)} ${text.kept}`);
    } finally {
      setSaving(false);
    }
  };

  const pressed = (event: KeyboardEvent): void => {
    // Keys of the transcript are no keys here.
    event.stopPropagation();
    if (event.isComposing) return;
    if (event.key === "Escape") {
      event.preventDefault();
      close(number);
    } else if (event.key === "Enter" && !event.shiftKey && event.target === words.current) {
      event.preventDefault();
      void save();
    }
  };

  return (
    <form
      class="sentence-editor screen-only"
      aria-label={text.correctAt(clock(sentence.startMs))}
      onKeyDown={pressed}
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      <label>
        <span>{text.words}</span>
        <textarea
          ref={words}
          dir="auto"
          rows={Math.min(8, 1 + Math.ceil(draft.text.length / 45))}
          maxLength={MAX_LETTERS}
          value={draft.text}
          aria-describedby={failed || stale ? reason : undefined}
          onInput={(event) => change({ text: event.currentTarget.value })}
        />
      </label>
      <label>
        <span>{text.saidBy}</span>
        <select value={draft.speaker} onChange={(event) => change({ speaker: event.currentTarget.value })}>
          {!people.has(sentence.speaker) && <option value={sentence.speaker}>{text.unknownSpeaker}</option>}
          {[...people.values()].map(({ id, alias }) => (
            <option key={id} value={id}>
              {alias}
            </option>
          ))}
          <option value={NEW_SPEAKER}>{text.somebodyNew}</option>
        </select>
      </label>
      {sentence.originalText !== undefined && sentence.originalText !== draft.text && (
        <p class="hint">
          <span dir="auto">{text.recognised(sentence.originalText)}</span>{" "}
          <button type="button" class="quiet" onClick={() => change({ text: sentence.originalText ?? "" })}>
            {text.useOriginal}
          </button>
        </p>
      )}
      <div id={reason}>
        {stale && <ErrorNotice message={text.changedMeanwhile(sentence.text)} />}
        {failed && <ErrorNotice message={failed} />}
      </div>
      <div class="editor-actions">
        <button type="submit" class="primary" disabled={saving}>
          {saving ? text.saving : stale ? text.saveOver : text.save}
        </button>
        {sentence.text !== "" && (
          <button type="button" disabled={saving} onClick={() => void save(true)}>
            {text.remove}
          </button>
        )}
        <button type="button" onClick={() => close(number)}>
          {stale ? text.takeTheirs : text.cancel}
        </button>
        <small class="hint">{text.keys}</small>
      </div>
    </form>
  );
}
