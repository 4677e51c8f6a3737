import { text } from "../strings/overtime.js";

/** A value of a meeting. */
export interface Point {
  /** When the meeting was held, milliseconds since 1970. */
  readonly at: number;
  /** Undefined where it was not measured: the line goes past it. */
  readonly value: number | undefined;
  /** What is told of it. */
  readonly title: string;
}

const WIDTH = 320;
const HEIGHT = 120;
const LEFT = 30;
const MARGIN = 8;

/**
 * Values over time.
 *
 * @param points in the order of time.
 * @param high the highest value that is drawn; 0 is the lowest.
 */
export function TrendChart({ label, points, high = 100 }: { label: string; points: readonly Point[]; high?: number }) {
  const first = points[0]?.at ?? 0;
  const span = Math.max(1, (points.at(-1)?.at ?? 0) - first);
  const x = (at: number): number =>
    points.length === 1 ? (LEFT + WIDTH) / 2 : LEFT + MARGIN + ((at - first) / span) * (WIDTH - LEFT - 2 * MARGIN);
  const y = (value: number): number => MARGIN + (1 - Math.min(high, Math.max(0, value)) / high) * (HEIGHT - 2 * MARGIN);
  const measured = points.flatMap(({ value, ...point }) => (value === undefined ? [] : [{ ...point, value }]));
  return (
    <svg class="trend" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={text.chart(label, measured.length)}>
      {[0, high / 2, high].map((value) => (
        <g key={value} aria-hidden="true">
          <line class="grid" x1={LEFT} x2={WIDTH} y1={y(value)} y2={y(value)} />
          <text x={LEFT - 4} y={y(value)} dy="0.35em" text-anchor="end">
            {value}
          </text>
        </g>
      ))}
      <polyline points={measured.map(({ at, value }) => `${x(at)},${y(value)}`).join(" ")} />
      {measured.map(({ at, value, title }, index) => (
        <circle key={index} cx={x(at)} cy={y(value)} r="3">
          <title>{title}</title>
        </circle>
      ))}
    </svg>
  );
}
