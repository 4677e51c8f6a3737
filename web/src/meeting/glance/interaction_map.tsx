import type { InteractionNode, SpeakerShare } from "meetra-client";
import { text } from "../../strings/people.js";
import { colourOf, useMeeting } from "../meeting_context.js";
import { PersonName } from "./person_name.js";

const SIZE = 420;
const MIDDLE = SIZE / 2;
const RADIUS = 140;
// Room for the half of a name beside the circle.
const BESIDE = 30;

/** Who speaks after whom: a line for each pair, the wider the more often. */
export function InteractionMap({ nodes, shares }: { nodes: readonly InteractionNode[]; shares: readonly SpeakerShare[] }) {
  const { people } = useMeeting();
  if (nodes.length === 0) return <p>{text.noPairs}</p>;
  const ids = [...people.keys()];
  const place = new Map(
    ids.map((id, index) => {
      const angle = (index / ids.length) * 2 * Math.PI - Math.PI / 2;
      return [id, { x: MIDDLE + RADIUS * Math.cos(angle), y: MIDDLE + RADIUS * Math.sin(angle) }];
    }),
  );
  const shareOf = new Map(shares.map(({ id, meeting_speaking_percentage: share }) => [id, share]));
  const spoken = nodes.filter(({ value }) => value > 0);
  return (
    <>
      <svg class="interaction-map" viewBox={`${-BESIDE} 0 ${SIZE + 2 * BESIDE} ${SIZE}`} aria-hidden="true">
        {spoken.map(({ between: [one = "", other = ""], value }) => {
          const [from, to] = [place.get(one), place.get(other)];
          return (
            from && to && <line key={one + other} x1={from.x} y1={from.y} x2={to.x} y2={to.y} stroke-width={1 + value / 9} />
          );
        })}
        {ids.map((id) => {
          const person = people.get(id);
          const at = place.get(id) ?? { x: 0, y: 0 };
          const radius = 10 + Math.sqrt(shareOf.get(id) ?? 0) * 2.2;
          return (
            <g key={id}>
              <circle class={colourOf(person)} cx={at.x} cy={at.y} r={radius} />
              <text x={at.x} y={at.y + radius + 18} text-anchor="middle">
                {shortName(person?.alias ?? "")}
              </text>
            </g>
          );
        })}
      </svg>
      <details>
        <summary>{text.pairs}</summary>
        <table>
          <thead>
            <tr>
              <th scope="col">{text.pair}</th>
              <th scope="col">{text.strength}</th>
              <th scope="col">{text.exchanges}</th>
            </tr>
          </thead>
          <tbody>
            {nodes.map(({ between: [one = "", other = ""], value, exchanges }) => (
              <tr key={one + other}>
                <th scope="row">
                  <PersonName id={one} /> – <PersonName id={other} />
                </th>
                <td>{value}</td>
                <td>{exchanges ?? ""}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </>
  );
}

function shortName(name: string): string {
  const letters = [...name];
  return letters.length > 18 ? `${letters.slice(0, 17).join("")}…` : name;
}
