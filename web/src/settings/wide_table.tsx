import type { ComponentChildren } from "preact";
import { text } from "../strings/settings.js";

/**
 * A table that scrolls by itself where it is wider than the screen, with the keyboard too.
 *
 * @param columns their labels; an empty one is of buttons.
 */
export function WideTable({ label, columns, children }: { label: string; columns: readonly string[]; children: ComponentChildren }) {
  return (
    <div class="wide" role="region" aria-label={label} tabIndex={0}>
      <table>
        <caption>{label}</caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column} scope="col">
                {column || <span class="hidden">{text.actions}</span>}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}
