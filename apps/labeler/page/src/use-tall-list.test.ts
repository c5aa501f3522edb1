import { expect, it } from "vitest";
import { mostHeight, stretchOf } from "./use-tall-list.ts";

const rowHeight = 34;
const sizesOf = (count: number) => ({
  whole: count * rowHeight,
  height: Math.min(count * rowHeight, mostHeight),
  headHeight: 34,
  view: 700,
});

it("leaves a list alone that browsers can hold", () => {
  expect(stretchOf(sizesOf(100_000))).toBe(1);
  expect(stretchOf(sizesOf(3))).toBe(1);
});

it("stretches the scroll of a longer one so that its end is the last row", () => {
  for (const count of [1_000_000, 20_000_000]) {
    const sizes = sizesOf(count);
    const lastScrollTop = sizes.height + sizes.headHeight - sizes.view;
    const shownTo = lastScrollTop * stretchOf(sizes) + sizes.view - sizes.headHeight;
    expect(shownTo).toBeCloseTo(sizes.whole, 3);
  }
});
