import {
  defaultRangeExtractor,
  elementScroll,
  observeElementOffset,
  observeElementRect,
  Virtualizer,
} from "@tanstack/virtual-core";
import type { Range, VirtualizerOptions } from "@tanstack/virtual-core";
import { useCallback, useLayoutEffect, useReducer, useState } from "preact/hooks";
import type { RefObject } from "preact";

/** What a virtual list needs to know. */
export interface VirtualListOptions {
  readonly count: number;
  /** What scrolls. */
  readonly scroller: RefObject<HTMLElement | null>;
  /** The height of a row before it is measured, pixels. */
  readonly estimate: (index: number) => number;
  /** A row that is drawn wherever the list is scrolled to: the keyboard is in it, or comes back to it. */
  readonly kept: number;
}

/** Draw only the rows of a long list that can be seen; their heights are measured as they come. */
export function useVirtualList({ count, scroller, estimate, kept }: VirtualListOptions): Virtualizer<HTMLElement, HTMLElement> {
  const [, draw] = useReducer((round: number, _: undefined) => round + 1, 0);
  const rangeExtractor = useCallback(
    (range: Range) => {
      const drawn = defaultRangeExtractor(range);
      return kept >= range.count || drawn.includes(kept) ? drawn : [...drawn, kept].sort((one, other) => one - other);
    },
    [kept],
  );
  const options: VirtualizerOptions<HTMLElement, HTMLElement> = {
    count,
    getScrollElement: () => scroller.current,
    estimateSize: estimate,
    overscan: 12,
    rangeExtractor,
    observeElementRect,
    observeElementOffset,
    scrollToFn: elementScroll,
    onChange: () => draw(undefined),
  };
  const [list] = useState(() => new Virtualizer(options));
  list.setOptions(options);
  useLayoutEffect(() => list._didMount(), [list]);
  useLayoutEffect(() => list._willUpdate());
  return list;
}
