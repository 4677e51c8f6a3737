import { clock } from "../time.js";
import { score } from "../numbers.js";
import { text } from "../../strings/charts.js";
import "./charts.css";

/** One line: a value from 0 to 100 in each period, undefined where it was not measured. */
export interface Series {
  readonly name: string;
  readonly values: readonly (number | undefined)[];
  /** As its values are called, where they are no numbers. */
  readonly labels?: readonly (string | undefined)[];
}

interface LineChartProps {
  readonly title: string;
  /** Periods, milliseconds. */
  readonly periods: readonly { start: number; end: number }[];
  readonly series: readonly Series[];
  readonly seek: (ms: number) => void;
}

const WIDTH = 1000;
const HEIGHT = 200;

/** Values over the time of a meeting, as lines and as a table. */
export function LineChart({ title, periods, series, seek }: LineChartProps) {
  const end = periods.at(-1)?.end ?? 1;
  const x = (ms: number): number => (ms / end) * WIDTH;
  return (
    <figure class="chart">
      <figcaption>
        {title}
        <span class="legend">
          {series.map(({ name }, index) => (
            <span key={name} class={`line-${index}`}>
              <svg viewBox="0 0 24 8" aria-hidden="true">
                <line x1={0} x2={24} y1={4} y2={4} />
              </svg>
              {name}
            </span>
          ))}
        </span>
      </figcaption>
      <div class="chart-area">
        <div class="chart-scale" aria-hidden="true">
          <span>100</span>
          <span>50</span>
          <span>0</span>
        </div>
        <svg
          class="chart-picture"
          viewBox={`0 -4 ${WIDTH} ${HEIGHT + 8}`}
          preserveAspectRatio="none"
          aria-hidden="true"
          onClick={(event) => {
            const box = event.currentTarget.getBoundingClientRect();
            seek(((event.clientX - box.left) / box.width) * end);
          }}
        >
          {[0, 50, 100].map((level) => (
            <line key={level} class="grid" x1={0} x2={WIDTH} y1={HEIGHT - level * 2} y2={HEIGHT - level * 2} />
          ))}
          {series.map(({ name, values }, index) => (
            <path key={name} class={`line-${index}`} d={steps(values, periods, x)} />
          ))}
        </svg>
      </div>
      <div class="chart-times" aria-hidden="true">
        <span>{clock(0)}</span>
        <span>{clock(end / 2)}</span>
        <span>{clock(end)}</span>
      </div>
      <details class="screen-only">
        <summary>{text.asTable}</summary>
        <div class="scrolls" tabIndex={0} role="group" aria-label={title}>
          <table>
            <thead>
              <tr>
                <th scope="col">{text.from}</th>
                {series.map(({ name }) => (
                  <th key={name} scope="col">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {periods.map(({ start }, row) => (
                <tr key={start}>
                  <th scope="row">
                    <button type="button" class="link" onClick={() => seek(start)}>
                      {clock(start)}
                    </button>
                  </th>
                  {series.map(({ name, values, labels }) => (
                    <td key={name}>{labels?.[row] ?? numberText(values[row])}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </figure>
  );
}

function numberText(value: number | undefined): string {
  return value === undefined ? text.none : score(value);
}

/** A line that is level within each period; a gap where nothing was measured. */
function steps(
  values: readonly (number | undefined)[],
  periods: readonly { start: number; end: number }[],
  x: (ms: number) => number,
): string {
  let path = "";
  let open = false;
  for (const [index, period] of periods.entries()) {
    const value = values[index];
    if (value !== undefined) {
      const y = (HEIGHT - value * 2).toFixed(1);
      path += `${open ? "L" : "M"}${x(period.start).toFixed(1)} ${y}H${x(period.end).toFixed(1)}`;
    }
    open = value !== undefined;
  }
  return path;
}
