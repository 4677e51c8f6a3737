import { useState } from "preact/hooks";
import type { ComponentChildren } from "preact";
import { text } from "../strings/shared.js";
import { usePrinting } from "./use_printing.js";

const FEW = 12;

/** The first items of a list, and all of them for whoever wants them; on paper all. */
export function LongList({ items }: { items: readonly ComponentChildren[] }) {
  const [all, setAll] = useState(false);
  const printing = usePrinting();
  const shown = all || printing || items.length <= FEW ? items : items.slice(0, FEW);
  return (
    <>
      <ul class="lines">{shown}</ul>
      {items.length > FEW && (
        <button type="button" aria-expanded={all} onClick={() => setAll(!all)}>
          {all ? text.showFewer : text.showAll(items.length)}
        </button>
      )}
    </>
  );
}
