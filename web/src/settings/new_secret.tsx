import { useRef, useState } from "preact/hooks";
import { text } from "../strings/settings.js";

/**
 * A secret that is shown this once.
 *
 * @param message says of what it is, and that it is not shown again.
 * @param label names the field.
 */
export function NewSecret({ message, label, secret }: { message: string; label: string; secret: string }) {
  const field = useRef<HTMLInputElement>(null);
  const [told, setTold] = useState("");
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(secret);
      setTold(text.copied);
    } catch {
      field.current?.select();
      setTold(text.notCopied);
    }
  };
  return (
    <div class="notice">
      <p role="status">{message}</p>
      <div class="new-key">
        <input ref={field} readOnly value={secret} aria-label={label} onFocus={(event) => event.currentTarget.select()} />
        <button type="button" onClick={() => void copy()}>
          {text.copy}
        </button>
        <span role="status">{told}</span>
      </div>
    </div>
  );
}
