import { useRef, useState } from "preact/hooks";
import { text } from "../strings/settings.js";

/** The secret of a new key, which is shown this once. */
export function NewKey({ name, secret }: { name: string; secret: string }) {
  const field = useRef<HTMLInputElement>(null);
  const [told, setTold] = useState("");
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(secret);
      setTold(text.keys.copied);
    } catch {
      field.current?.select();
      setTold(text.keys.notCopied);
    }
  };
  return (
    <div class="notice">
      <p role="status">{text.keys.made(name)}</p>
      <div class="new-key">
        <input ref={field} readOnly value={secret} aria-label={text.keys.secret} onFocus={(event) => event.currentTarget.select()} />
        <button type="button" onClick={() => void copy()}>
          {text.keys.copy}
        </button>
        <span role="status">{told}</span>
      </div>
    </div>
  );
}
