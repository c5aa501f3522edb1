import type { Ending } from "./ending.ts";
import { broken } from "./endings-broken.ts";
import { completed, refusals } from "./endings-completed.ts";
import { left } from "./endings-left.ts";

/** Every ending, in the order of the page. */
export const endings: readonly Ending[] = [...completed, ...refusals, ...broken, ...left];
