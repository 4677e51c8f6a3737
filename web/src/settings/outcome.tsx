import { ErrorNotice } from "../parts/error_notice.js";
import type { Change } from "./use_change.js";

/** How the last change went, said to readers of the screen as well. */
export function Outcome({ change }: { change: Change }) {
  return (
    <>
      <p role="status" class="outcome">
        {change.done}
      </p>
      {change.problem && <ErrorNotice message={change.problem} />}
    </>
  );
}
