import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";

/** A part of the report, with its heading and what stands beside that. */
export function Section({ title, beside, children }: { title: string; beside?: ComponentChildren; children: ComponentChildren }) {
  const heading = useId();
  return (
    <section class="card" aria-labelledby={heading}>
      <div class="section-head">
        <h2 id={heading}>{title}</h2>
        {beside}
      </div>
      {children}
    </section>
  );
}
