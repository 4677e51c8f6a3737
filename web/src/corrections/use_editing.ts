import { useCallback, useState } from "preact/hooks";
import { drafts } from "./drafts.js";

/** Which sentences of a meeting are being corrected. */
export interface Editing {
  readonly numbers: ReadonlySet<number>;
  /** The one that was opened last, by somebody: its editor takes the keyboard. */
  readonly opened: number | undefined;
  readonly open: (number: number) => void;
  readonly close: (number: number) => void;
}

/** Which sentences are being corrected; those with a draft are at first. */
export function useEditing(fileHash: string): Editing {
  const [numbers, setNumbers] = useState<ReadonlySet<number>>(() => new Set(drafts.numbers(fileHash)));
  const [opened, setOpened] = useState<number>();
  const open = useCallback((number: number) => {
    setOpened(number);
    setNumbers((before) => new Set(before).add(number));
  }, []);
  const close = useCallback(
    (number: number) => {
      drafts.drop(fileHash, number);
      setNumbers((before) => new Set([...before].filter((one) => one !== number)));
    },
    [fileHash],
  );
  return { numbers, opened, open, close };
}
