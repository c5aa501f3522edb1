import { describe, expect, it } from "vitest";
import { cellsOf } from "./cells.ts";
import type { Provider } from "./doors.ts";
import { nameOf } from "./endings.ts";
import { runCell } from "./run-cell.ts";

Object.assign(globalThis, { AI_SDK_LOG_WARNINGS: false });

/** Tests every cell of some providers. */
export function testCells(...providers: readonly Provider[]): void {
  const cells = cellsOf(...providers);
  for (const door of new Set(cells.map((cell) => cell.door))) {
    describe.concurrent(`${door.provider}: ${door.name}`, () => {
      for (const cell of cells.filter((one) => one.door === door)) {
        it(`${nameOf(cell.ending)}, ${cell.budget}`, async () => {
          expect(await runCell(cell)).toEqual([]);
        });
      }
    });
  }
}
