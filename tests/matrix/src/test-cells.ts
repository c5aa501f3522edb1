import { describe, expect, it } from "vitest";
import { cellsOf } from "./cells.ts";
import type { Provider } from "./door.ts";
import { nameOf } from "./ending.ts";
import { runCell } from "./run-cell.ts";

Object.assign(globalThis, { AI_SDK_LOG_WARNINGS: false });

/** Tests every cell of some providers. */
export function testCells(...providers: readonly Provider[]): void {
  describe.concurrent(providers.join(" and "), () => {
    for (const cell of cellsOf(...providers)) {
      const { door, ending, budget } = cell;
      it(`${door.name} > ${nameOf(ending)} > ${budget}`, async () => {
        expect(await runCell(cell)).toEqual([]);
      });
    }
  });
}
