import { elementScroll, observeElementOffset, useVirtualizer } from "@tanstack/react-virtual";
import { type RefObject, useCallback, useRef } from "react";

/** Browsers end elements at some height, Firefox at 17.9 million pixels; a million rows are taller. */
export const mostHeight = 15_000_000;

/** Rows of a list that may be taller than an element can be. */
export interface TallList {
  /** The height of the element that scrolls. */
  height: number;
  /** Rows to draw, and where. */
  rows: { index: number; top: number }[];
  /** Brings a row into view. */
  show: (index: number) => void;
}

/**
 * A virtual list whose scroll is stretched where its rows are taller than an element can be: a pixel of the scrollbar is
 * then more than a pixel of rows.
 *
 * @param headHeight of what stands above the rows and scrolls with them.
 */
export function useTallList(
  box: RefObject<HTMLElement | null>,
  { count, rowHeight, headHeight }: { count: number; rowHeight: number; headHeight: number },
): TallList {
  const whole = count * rowHeight;
  const height = Math.min(whole, mostHeight);
  const stretchNow = () => stretchOf({ whole, height, headHeight, view: box.current?.clientHeight ?? 0 });
  const stretch = useRef(stretchNow);
  stretch.current = stretchNow;

  const list = useVirtualizer({
    count,
    getScrollElement: () => box.current,
    estimateSize: useCallback(() => rowHeight, [rowHeight]),
    overscan: 8,
    observeElementOffset: (instance, tell) =>
      observeElementOffset(instance, (offset, isScrolling) => tell(offset * stretch.current(), isScrolling)),
    scrollToFn: (offset, options, instance) => elementScroll(offset / stretch.current(), options, instance),
  });

  const offset = list.scrollOffset ?? 0;
  const shift = offset / stretchNow() - offset;
  return {
    height,
    rows: list.getVirtualItems().map(({ index, start }) => ({ index, top: start + shift })),
    show: (index) => {
      const element = box.current;
      if (!element) return;
      const [above, below] = [index * rowHeight, (index + 1) * rowHeight + headHeight - element.clientHeight];
      const seen = element.scrollTop * stretchNow();
      if (seen > above) element.scrollTop = above / stretchNow();
      else if (seen < below) element.scrollTop = below / stretchNow();
    },
  };
}

/** Pixels of rows for a pixel of the scrollbar, so that its end is the end of the rows. */
export function stretchOf(sizes: { whole: number; height: number; headHeight: number; view: number }): number {
  const { whole, height, headHeight, view } = sizes;
  const way = height + headHeight - view;
  return whole === height || way <= 0 ? 1 : (whole + headHeight - view) / way;
}
