import type { ScoreComponent, ScoreSupport } from "meetra-client";
import { useId, useRef, useState } from "preact/hooks";
import type { ComponentChildren, RefObject } from "preact";
import { text } from "../strings/measured.js";
import { Definition } from "./definition.js";
import { percent } from "./numbers.js";
import { duration } from "./time.js";
import "./measured.css";

/** What stands behind a number, as far as the server gives it. */
export interface Grounds {
  readonly components?: readonly ScoreComponent[] | undefined;
  readonly support?: ScoreSupport | undefined;
  /** Why it is absent. */
  readonly reason?: string | undefined;
  /** What to know of it, at length. */
  readonly note?: string | undefined;
  /** Further lines: what was counted, which method. */
  readonly facts?: readonly (readonly [name: string, value: string])[] | undefined;
}

interface MeasuredProps extends Grounds {
  /** Its name in the REST API, under which the catalogue of metrics has it. */
  readonly metric: string;
  /** Its name for people. */
  readonly name: string;
  /** As shown; undefined where it could not be measured, empty where it is shown elsewhere. */
  readonly value: string | undefined;
  readonly unit?: string | undefined;
  /** Beside the number, such as its label in words. */
  readonly children?: ComponentChildren;
}

/** A number that opens what it is made of: components, support, version, definition. */
export function Measured({ metric, name, value, unit, children, ...grounds }: MeasuredProps) {
  const dialog = useOpened();
  const shown = shownValue(value, grounds);
  return (
    <div class="measured">
      <button type="button" class="measured-open" aria-haspopup="dialog" onClick={dialog.show}>
        <span class="measured-name">{name}</span>
        <span class={shown === undefined ? "measured-value absent" : "measured-value"}>
          {shown ?? text.notMeasured}
          {shown !== undefined && unit && <small>{` ${unit}`}</small>}
        </span>
        {children}
        <span class="measured-why">{inWords(value, grounds)}</span>
      </button>
      <AboutDialog dialog={dialog} metric={metric} name={name} value={value} unit={unit} {...grounds} />
    </div>
  );
}

/** A small button beside a heading or figure that opens what stands behind it. */
export function About({ metric, name, value, unit, ...grounds }: Omit<MeasuredProps, "children">) {
  const dialog = useOpened();
  return (
    <>
      <button
        type="button"
        class="about"
        aria-haspopup="dialog"
        aria-label={text.about(name)}
        title={text.about(name)}
        onClick={dialog.show}
      >
        i
      </button>
      <AboutDialog dialog={dialog} metric={metric} name={name} value={value} unit={unit} {...grounds} />
    </>
  );
}

/** A dialog that holds something only while it is open: a page has hundreds of them. */
interface Opened {
  readonly inner: RefObject<HTMLDialogElement | null>;
  readonly open: boolean;
  readonly show: () => void;
  readonly closed: () => void;
}

function useOpened(): Opened {
  const inner = useRef<HTMLDialogElement>(null);
  const [open, setOpen] = useState(false);
  const show = (): void => {
    setOpen(true);
    inner.current?.showModal();
  };
  return { inner, open, show, closed: () => setOpen(false) };
}

function AboutDialog({
  dialog,
  metric,
  name,
  value,
  unit,
  ...grounds
}: MeasuredProps & { dialog: Opened }) {
  const heading = useId();
  const shown = shownValue(value, grounds);
  return (
    <dialog
      ref={dialog.inner}
      aria-labelledby={heading}
      onClick={closeOutside}
      onClose={dialog.closed}
    >
      {dialog.open && (
        <>
          <h2 id={heading}>{name}</h2>
          {value !== "" && (
            <p class="measured-value">{shown === undefined ? text.notMeasured : `${shown}${unit ? ` ${unit}` : ""}`}</p>
          )}
          <Behind value={value} {...grounds} />
          <Definition metric={metric} />
          <form method="dialog">
            <button type="submit">{text.close}</button>
          </form>
        </>
      )}
    </dialog>
  );
}

function shownValue(value: string | undefined, { support }: Grounds): string | undefined {
  return support?.sufficient === false ? undefined : value;
}

function Behind({ value, components = [], support, reason, note, facts = [] }: Grounds & { value: string | undefined }) {
  const known = [
    ...facts,
    ...(support
      ? ([
          [text.people, String(support.speakers)],
          [text.speech, duration(support.speech_seconds * 1000)],
          [text.version, support.definition_version],
        ] as const)
      : []),
  ];
  return (
    <>
      <p>{inWords(value, { support, reason })}</p>
      {note && <p>{note}</p>}
      {components.length > 0 && (
        <table>
          <caption>{text.components}</caption>
          <thead>
            <tr>
              <th scope="col">{text.component}</th>
              <th scope="col">{text.value}</th>
              <th scope="col">{text.weight}</th>
            </tr>
          </thead>
          <tbody>
            {components.map(({ name, value: part, weight }) => (
              <tr key={name}>
                <th scope="row">{text.componentNames[name] ?? name.replaceAll("_", " ")}</th>
                <td>{percent(part)}</td>
                <td>{weight ? percent(weight) : text.noWeight}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {known.length > 0 && (
        <dl class="facts">
          {known.map(([name, fact]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{fact}</dd>
            </div>
          ))}
        </dl>
      )}
    </>
  );
}

/** How far a number can be trusted, or why there is none. */
function inWords(value: string | undefined, { support, reason }: Grounds): string {
  if (support && !support.sufficient) return support.reason || text.tooLittle;
  if (value === undefined) return reason || text.noReason;
  const notes = [support?.note, reason].filter(Boolean).join(" ");
  if (!support) return notes;
  const basis = text.basedOn(duration(support.speech_seconds * 1000), support.speakers);
  return notes ? `${basis} ${notes}` : basis;
}

function closeOutside(event: MouseEvent): void {
  // A dialog's own area is its content; beside it lies its backdrop.
  if (event.target === event.currentTarget && event.currentTarget instanceof HTMLDialogElement) {
    const { left, right, top, bottom } = event.currentTarget.getBoundingClientRect();
    const { clientX: x, clientY: y } = event;
    if (x < left || x > right || y < top || y > bottom) event.currentTarget.close();
  }
}
