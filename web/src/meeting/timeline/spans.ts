import type { FragmentQuality } from "meetra-client";
import type { Sentence } from "../transcript_model.js";

/** A stretch of a meeting, milliseconds. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** When each speaker speaks, by id; of fragments where the server has them, else of sentences. */
export function spansBySpeaker(
  fragments: readonly FragmentQuality[],
  sentences: readonly Sentence[],
): ReadonlyMap<string, Span[]> {
  const source =
    fragments.length > 0
      ? fragments
      : sentences.map(({ speaker, startMs, endMs }) => ({ speaker, start: startMs, end: endMs }));
  const found = new Map<string, Span[]>();
  for (const { speaker, start, end } of source) {
    const own = found.get(speaker);
    if (own) own.push({ start, end });
    else found.set(speaker, [{ start, end }]);
  }
  return found;
}

/** Where several people speak at once. */
export function overlaps(bySpeaker: ReadonlyMap<string, readonly Span[]>): Span[] {
  const borders = [...bySpeaker.values()].flatMap((spans) =>
    joined(spans).flatMap(({ start, end }) => [
      [start, 1] as const,
      [end, -1] as const,
    ]),
  );
  borders.sort(([a, up], [b, down]) => a - b || up - down);
  const found: Span[] = [];
  let speaking = 0;
  let since = 0;
  for (const [at, step] of borders) {
    if (speaking >= 2 && speaking + step < 2 && at > since) found.push({ start: since, end: at });
    if (speaking < 2 && speaking + step >= 2) since = at;
    speaking += step;
  }
  return found;
}

/** The same time without overlaps among themselves. */
function joined(spans: readonly Span[]): Span[] {
  const found: { start: number; end: number }[] = [];
  for (const { start, end } of [...spans].sort((a, b) => a.start - b.start)) {
    const last = found.at(-1);
    if (last && start <= last.end) last.end = Math.max(last.end, end);
    else found.push({ start, end });
  }
  return found;
}

/** One SVG path of rectangles over a width of 1000, so that thousands of them are one element. */
export function rectangles(spans: readonly Span[], durationMs: number, y: number, height: number): string {
  return spans
    .map(({ start, end }) => {
      const x = (start / durationMs) * 1000;
      // What is shorter than can be seen is still there.
      const width = Math.max(0.6, ((end - start) / durationMs) * 1000);
      return `M${x.toFixed(2)} ${y}h${width.toFixed(2)}v${height}h-${width.toFixed(2)}z`;
    })
    .join("");
}
