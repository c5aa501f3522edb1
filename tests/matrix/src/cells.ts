import type { Door, Provider } from "./door.ts";
import { doors } from "./doors.ts";
import { canEnd, type Ending } from "./ending.ts";
import { endings } from "./endings.ts";
import type { Cell } from "./run-cell.ts";

/** The cells of some providers: every door x every ending it can have x every budget that makes a difference. */
export function cellsOf(...providers: readonly Provider[]): Cell[] {
  return doors
    .filter(({ provider }) => providers.includes(provider))
    .flatMap((door) => endings.filter((ending) => canEnd(ending, door)).flatMap((ending) => withBudgets(door, ending)));
}

function withBudgets(door: Door, ending: Ending): Cell[] {
  const isPlain = ending === endings[0];
  const isFree = door.provider === "free gateway";
  const isSlow = ending.caller?.does === "times out";
  const cells: Cell[] = [{ door, ending, budget: "ample" }];
  // Where a call is a loop, a budget for its first request ends it there, however the others would have ended.
  const canEndThere = isPlain || door.requestsBefore === 0;
  if (!isFree && !isSlow && canEndThere) cells.push({ door, ending, budget: "one call" });
  if (isPlain) cells.push({ door, ending, budget: "too small" });
  return cells;
}
