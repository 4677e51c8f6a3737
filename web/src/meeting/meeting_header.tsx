import type { GetMeetingStatusResponse } from "meetra-client";
import { usePageTitle } from "../parts/page_title.js";
import { clock, dateText } from "../parts/time.js";
import { useRights } from "../server/rights.js";
import { text } from "../strings/meeting.js";
import { ExportMenu } from "./export_menu.js";

/** Name, date, length and language of a meeting, and what a reader must know of it. */
export function MeetingHeader({ status }: { status: GetMeetingStatusResponse }) {
  const { may } = useRights();
  usePageTitle(status.name);
  const ready = status.status === "ready";
  const facts: string[] = [];
  if (status.date) facts.push(dateText(status.date));
  else if (status.created_at) facts.push(text.uploaded(dateText(status.created_at)));
  if (status.duration_ms) facts.push(text.length(clock(status.duration_ms)));
  if (status.language) facts.push(languageText(status.language, status.language_confidence));
  if (status.redact) facts.push(text.redacted(status.redact));
  return (
    <header class="meeting-header">
      <div>
        <h1>
          <bdi>{status.name}</bdi>
        </h1>
        <p class="hint">{facts.join(" · ")}</p>
      </div>
      {ready && may("RIGHT_READ") && <ExportMenu status={status} />}
      {ready && status.notice && <p class="notice warning">{status.notice}</p>}
    </header>
  );
}

function languageText(tag: string, confidence: number | undefined): string {
  const name = new Intl.DisplayNames(["en"], { type: "language" }).of(tag) ?? tag;
  if (confidence === undefined) return name;
  return confidence >= 0.8 ? name : text.languageUnsure(name);
}
