import type { MeetingScores } from "meetra-client";
import { dateText } from "../parts/time.js";

const CALENDAR_DATE = /^\d{4}-\d{2}-\d{2}$/;

/** When a meeting was held: a day where a day was given, else the moment. */
export function heldText({ date, held_at: heldAt }: MeetingScores): string {
  return dateText(CALENDAR_DATE.test(date) ? date : heldAt);
}
