import { Section } from "../meeting/glance/section.js";
import { text } from "../strings/corrections.js";
import { CorrectionHistory } from "./history.js";
import { SpeakerCorrections } from "./speakers.js";
import "./corrections.css";

/** Corrections of a meeting by hand; sentences are corrected in the transcript. */
export function Corrections() {
  return (
    <div class="screen-only">
      <Section title={text.title}>
        <div class="corrections">
          <SpeakerCorrections />
          <CorrectionHistory />
        </div>
      </Section>
    </div>
  );
}
