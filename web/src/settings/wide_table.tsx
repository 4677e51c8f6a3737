import type { ComponentChildren } from "preact";
import { text } from "../strings/settings.js";

/**
 * A table that scrolls by itself where it is wider than the screen, with the keyboard too.
 *
 * @param columns their labels; an empty one is of buttons.
 * @param captioned whether the label is shown: no heading says it.
 */
export function WideTable({
  label,
  columns,
  captioned = false,
  children,
}: {
  label: string;
  columns: readonly string[];
  captioned?: boolean;
  children: ComponentChildren;
}) {
  return (
    <div class="wide" role="region" aria-label={label} tabIndex={0}>
      <table>
        <caption class={captioned ? undefined : "hidden"}>{label}</caption>
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
