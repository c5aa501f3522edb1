import { setTimeout as sleep } from "node:timers/promises";

/** Waits until something holds, at most `patienceMs`, by default 10 s. @returns whether it held. */
export async function until(holds: () => boolean | Promise<boolean>, patienceMs = 10_000): Promise<boolean> {
  const endMs = performance.now() + patienceMs;
  while (!(await holds())) {
    if (performance.now() > endMs) return false;
    await sleep(1);
  }
  return true;
}
