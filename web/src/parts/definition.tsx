import type { Metric, MetricError } from "meetra-client";
import { useMetrics } from "../server/metrics.js";
import { text } from "../strings/definition.js";
import "./definition.css";
import { percent } from "./numbers.js";
import { Waiting } from "./waiting.js";

/**
 * How a metric is defined: its formula, parts, needs, version and known error. The catalogue of metrics is shown here,
 * and nowhere else.
 *
 * @param metric its name in the REST API, such as `balance_score`.
 */
export function Definition({ metric }: { metric: string }) {
  const answer = useMetrics();
  return (
    <section class="definition">
      <h3>{text.title}</h3>
      <Waiting answer={answer}>
        {(metrics) => {
          const found = metrics.get(metric);
          return found ? <Entry metric={found} /> : <p>{text.unknown}</p>;
        }}
      </Waiting>
    </section>
  );
}

function Entry({ metric }: { metric: Metric }) {
  const { low, high, unit } = metric;
  return (
    <>
      <p>
        <Formula formula={metric.definition} />
      </p>
      <Symbols metric={metric} />
      {metric.parts.length > 0 && <Parts metric={metric} />}
      <dl>
        {metric.interpretation && <Fact name={text.meaning}>{metric.interpretation}</Fact>}
        <Fact name={text.error}>
          <Errors errors={metric.errors} />
        </Fact>
        {(low !== undefined || high !== undefined) && (
          <Fact name={text.range}>{`${low ?? ""}${low !== undefined && high !== undefined ? " – " : ""}${high ?? ""} ${unit}`}</Fact>
        )}
        <Fact name={text.needs}>{text.needsText(metric.min_speakers, metric.min_speech_seconds)}</Fact>
        <Fact name={text.languages}>{metric.english_only ? text.englishOnly : text.everyLanguage}</Fact>
        {metric.source && <Fact name={text.source}>{metric.source}</Fact>}
        <Fact name={text.version}>{metric.definition_version}</Fact>
      </dl>
    </>
  );
}

function Fact({ name, children }: { name: string; children: preact.ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** A formula; what stands between backticks is a name. */
function Formula({ formula }: { formula: string }) {
  return <>{formula.split("`").map((part, index) => (index % 2 ? <code key={index}>{part}</code> : part))}</>;
}

/** What the letters in the formulas stand for. */
function Symbols({ metric }: { metric: Metric }) {
  const formulas = [metric, ...metric.parts].map(({ definition }) => definition).join(" ");
  const used = text.symbols.filter(([symbol]) => formulas.includes(symbol));
  if (used.length === 0) return null;
  return <p class="symbols">{used.map(([, meaning]) => meaning).join(" ")}</p>;
}

function Parts({ metric }: { metric: Metric }) {
  return (
    <table class="parts">
      <caption>{text.parts}</caption>
      <thead>
        <tr>
          <th scope="col">{text.part}</th>
          <th scope="col">{text.weight}</th>
          <th scope="col">{text.error}</th>
        </tr>
      </thead>
      <tbody>
        {metric.parts.map((part) => (
          <tr key={part.name}>
            <th scope="row">
              {part.name.replaceAll("_", " ")}
              <small>
                <Formula formula={part.definition} />
              </small>
            </th>
            <td>{weightText(part.weight)}</td>
            <td>
              <Errors errors={part.errors} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function weightText(weight: number | undefined): string {
  if (weight === undefined) return text.notFixed;
  return weight === 0 ? text.shownOnly : percent(weight);
}

function Errors({ errors }: { errors: readonly MetricError[] }) {
  if (errors.length === 0) return <>{text.notMeasured}</>;
  return (
    <ul>
      {errors.map((error) => (
        <li key={`${error.data} ${error.measure}`}>
          {text.errorText(`${error.value}${error.unit && ` ${error.unit}`}`, error.measure, error.data)}
          {error.baseline !== undefined && `; ${text.baseline(String(error.baseline))}`}
        </li>
      ))}
    </ul>
  );
}
