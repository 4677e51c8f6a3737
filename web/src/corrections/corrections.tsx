import { Section } from "../meeting/glance/section.js";
import { Lacking } from "../parts/lacking.js";
import { useRights } from "../server/rights.js";
import { text } from "../strings/corrections.js";
import { CorrectionHistory } from "./history.js";
import { SpeakerCorrections } from "./speakers.js";
import "./corrections.css";

/** Corrections of a meeting by hand; sentences are corrected in the transcript. */
export function Corrections() {
  const { may } = useRights();
  return (
    <div class="screen-only">
      <Section title={text.title}>
        <div class="corrections">
          {may("RIGHT_EDIT") ? <SpeakerCorrections /> : <Lacking right="RIGHT_EDIT" />}
          <CorrectionHistory />
        </div>
      </Section>
    </div>
  );
}
