import {
  elementScroll,
  observeElementOffset,
  observeElementRect,
  Virtualizer,
} from "@tanstack/virtual-core";
import type { VirtualizerOptions } from "@tanstack/virtual-core";
import { useLayoutEffect, useReducer, useState } from "preact/hooks";
import type { RefObject } from "preact";

/** What a virtual list needs to know. */
export interface VirtualListOptions {
  readonly count: number;
  /** What scrolls. */
  readonly scroller: RefObject<HTMLElement | null>;
  /** The height of a row before it is measured, pixels. */
  readonly estimate: (index: number) => number;
}

/** Draw only the rows of a long list that can be seen; their heights are measured as they come. */
export function useVirtualList({ count, scroller, estimate }: VirtualListOptions): Virtualizer<HTMLElement, HTMLElement> {
  const [, draw] = useReducer((round: number, _: undefined) => round + 1, 0);
  const options: VirtualizerOptions<HTMLElement, HTMLElement> = {
    count,
    getScrollElement: () => scroller.current,
    estimateSize: estimate,
    overscan: 12,
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
