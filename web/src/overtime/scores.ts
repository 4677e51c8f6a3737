import type { MeetingScores, QualityDriver } from "meetra-client";
import { text } from "../strings/overtime.js";

/** A score that meetings are compared by. */
export interface Score {
  /** Its field, and its name in the catalogue of metrics. */
  readonly name: "quality_score" | "balance_score" | "meeting_interaction_score" | "meeting_energy" | "sentiment_score";
  readonly label: string;
  /** Whether it is measured only where two people speak. */
  readonly ofTwo: boolean;
  /** Its name in `definition_versions`; quality is always computed by the present definition. */
  readonly version?: string;
}

/** Quality and what it is the mean of. */
export const SCORES: readonly Score[] = [
  { name: "quality_score", label: text.scores.quality, ofTwo: true },
  { name: "balance_score", label: text.scores.balance, ofTwo: true, version: "balance" },
  { name: "meeting_interaction_score", label: text.scores.interaction, ofTwo: true, version: "interaction" },
  { name: "meeting_energy", label: text.scores.energy, ofTwo: false, version: "energy" },
  { name: "sentiment_score", label: text.scores.sentiment, ofTwo: false, version: "sentiment" },
];

// With less speech a score has its default, which is no measurement: MINIMUM_SPEECH_S of the server.
const LEAST_SPEECH_S = 10;

/** A meeting's score; undefined where it was not measured. */
export function scoreOf(meeting: MeetingScores, { name, ofTwo }: Score): number | undefined {
  const { support } = meeting;
  if (support && (ofTwo ? !support.sufficient : support.speech_seconds < LEAST_SPEECH_S)) return undefined;
  return meeting[name];
}

/** Why a meeting's score was not measured. */
export function reasonOf(meeting: MeetingScores, { name }: Score): string {
  if (name === "sentiment_score" && meeting.reason) return meeting.reason;
  return meeting.support?.reason || text.notStored;
}

/** The parts that raise or lower the quality of a meeting, the strongest first. */
export function driversOf(meeting: MeetingScores, effect: "raises" | "lowers"): QualityDriver[] {
  if (!meeting.support?.sufficient) return [];
  return meeting.drivers
    .filter((driver) => driver.effect === effect && driver.name.includes("."))
    .sort((a, b) => Math.abs(b.score - 50) - Math.abs(a.score - 50));
}

/** The name of a driver for people. */
export function driverName(name: string): string {
  return text.drivers[name] ?? name.replaceAll(/[._]/g, " ");
}

/** The mean; undefined of nothing. */
export function mean(values: readonly number[]): number | undefined {
  return values.length ? values.reduce((sum, value) => sum + value, 0) / values.length : undefined;
}

/** How a score has changed over some meetings. */
export interface Trend {
  readonly mean: number;
  /** Mean of the earlier half and of the later one; undefined for fewer than four meetings. */
  readonly halves?: readonly [earlier: number, later: number];
  /** Meetings in which it was measured. */
  readonly measured: number;
}

/** The trend of values in the order of time; undefined of nothing. */
export function trendOf(values: readonly number[]): Trend | undefined {
  const whole = mean(values);
  if (whole === undefined) return undefined;
  const middle = Math.floor(values.length / 2);
  const [earlier, later] = [mean(values.slice(0, middle)), mean(values.slice(values.length - middle))];
  return {
    mean: whole,
    measured: values.length,
    ...(values.length >= 4 && earlier !== undefined && later !== undefined && { halves: [earlier, later] as const }),
  };
}
