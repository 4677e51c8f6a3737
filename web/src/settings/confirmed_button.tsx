import { useId, useRef } from "preact/hooks";
import { text } from "../strings/settings.js";

/** A button for what cannot be undone: it asks first. */
export function ConfirmedButton({
  label,
  name,
  title,
  explanation,
  run,
  disabled = false,
}: {
  label: string;
  /** For readers of the screen, where the label alone does not say of what. */
  name?: string;
  title: string;
  explanation: string;
  run: () => void;
  disabled?: boolean;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  return (
    <>
      <button type="button" class="quiet" aria-label={name} disabled={disabled} onClick={() => dialog.current?.showModal()}>
        {label}
      </button>
      <ConfirmDialog dialog={dialog} label={label} title={title} explanation={explanation} run={run} />
    </>
  );
}

/** Asks whether something that cannot be undone is to be done; whoever has `dialog` opens it. */
export function ConfirmDialog({
  dialog,
  label,
  title,
  explanation,
  run,
}: {
  dialog: { current: HTMLDialogElement | null };
  label: string;
  title: string;
  explanation: string;
  run: () => void;
}) {
  const id = useId();
  const close = (): void => dialog.current?.close();
  return (
    <dialog ref={dialog} aria-labelledby={`${id}-title`} aria-describedby={`${id}-text`}>
      <h3 id={`${id}-title`}>{title}</h3>
      <p id={`${id}-text`}>{explanation}</p>
      <div class="dialog-end">
        <button type="button" onClick={close}>
          {text.cancel}
        </button>
        <button type="button" class="danger" onClick={() => (close(), run())}>
          {label}
        </button>
      </div>
    </dialog>
  );
}
