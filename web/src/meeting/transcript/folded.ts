/** A text as it is searched: without case and accents, and where each of its letters was. */
export interface Folded {
  readonly text: string;
  /** For each letter of `text` its place in the original. */
  readonly places: readonly number[];
}

const MARKS = /\p{M}/gu;

/** Fold a text, letter by letter. */
export function folded(original: string): Folded {
  let text = "";
  const places: number[] = [];
  let place = 0;
  for (const letter of original) {
    const plain = letter.normalize("NFKD").replace(MARKS, "").toLowerCase();
    for (let index = 0; index < plain.length; index++) places.push(place);
    text += plain;
    place += letter.length;
  }
  return { text, places };
}

/** Where `wanted`, folded, occurs in a text: [start, end) in the original. */
export function occurrences(original: string, wanted: string): [number, number][] {
  if (wanted === "") return [];
  const { text, places } = folded(original);
  const found: [number, number][] = [];
  for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + wanted.length)) {
    found.push([places[at] ?? 0, places[at + wanted.length] ?? original.length]);
  }
  return found;
}
