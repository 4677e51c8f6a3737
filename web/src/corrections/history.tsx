import { text } from "../strings/corrections.js";

/** What was corrected in a meeting; shown in its page. */
export function CorrectionHistory(_: { fileHash: string }) {
  return <h2>{text.title}</h2>;
}
