import { useId, useRef, useState } from "preact/hooks";
import { text } from "../strings/definition.js";
import { Definition } from "./definition.js";
import "./explained.css";

/**
 * The name of a metric, which opens how it is defined: for headings of tables and charts, where numbers stand by
 * themselves.
 */
export function Explained({ metric, name }: { metric: string; name: string }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useId();
  const [opened, setOpened] = useState(false);
  const open = (): void => {
    setOpened(true);
    dialog.current?.showModal();
  };
  return (
    <>
      <button type="button" class="explained" aria-haspopup="dialog" aria-label={text.explain(name)} onClick={open}>
        {name}
      </button>
      <span class="print-only">{name}</span>
      <dialog ref={dialog} aria-labelledby={heading}>
        <h2 id={heading}>{name}</h2>
        {opened && <Definition metric={metric} />}
        <form method="dialog">
          <button type="submit">{text.close}</button>
        </form>
      </dialog>
    </>
  );
}
