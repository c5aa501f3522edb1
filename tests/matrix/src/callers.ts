import type { Simulator } from "@autolabel/simulator";
import type { Door, Site } from "./door.ts";
import type { Ending } from "./ending.ts";
import { until } from "./until.ts";
import type { Asked, Opened } from "./way.ts";

/** Long enough for a request to arrive on a busy machine; no other ending waits for a clock. */
const timeoutMs = 2000;

/** What a caller has around it. */
export interface Stage {
  door: Door;
  ending: Ending;
  site: Site & { simulator: Simulator };
  /** How many answers the provider has made so far. */
  answersMade: () => number;
}

/**
 * Makes the call and does what the ending says that its caller does.
 *
 * @returns the error that the caller got, if it waited for the end.
 */
export async function act(stage: Stage): Promise<unknown> {
  const { door, ending, site, answersMade } = stage;
  const { caller = { does: "reads" }, maxRetries = 0, streamRetries = 0 } = ending;
  const nth = door.requestsBefore + 1;
  switch (caller.does) {
    case "reads":
      return errorOf(door.call(site, { maxRetries, streamRetries }));
    case "times out":
      return errorOf(door.call(site, { maxRetries, timeoutMs }));
    case "forgets":
      await openDoor(stage, { maxRetries });
      return undefined;
    case "breaks":
      await leaveAfter(caller.after, await openDoor(stage, { maxRetries }));
      site.simulator.resume();
      return undefined;
    case "cancels": {
      const reader = (await openDoor(stage, { maxRetries })).body().getReader();
      await reader.read();
      await reader.cancel();
      site.simulator.resume();
      return undefined;
    }
    case "aborts": {
      if (caller.after === "nothing") return errorOf(door.call(site, { maxRetries, signal: AbortSignal.abort() }));
      const abort = new AbortController();
      const asked = { maxRetries, signal: abort.signal };
      if (typeof caller.after === "number" && caller.after > 0) {
        await readSome(caller.after, await openDoor(stage, asked), abort);
        return undefined;
      }
      const ended = errorOf(door.call(site, asked));
      const isAsked = () => site.simulator.requests === nth;
      await until(caller.after === "arrival" ? isAsked : () => answersMade() === nth);
      abort.abort();
      return ended;
    }
  }
}

async function errorOf(call: PromiseLike<unknown>): Promise<unknown> {
  try {
    await call;
    return undefined;
  } catch (error) {
    return error;
  }
}

function openDoor({ door, site }: Stage, asked: Asked): Promise<Opened> {
  if (!door.open) throw new Error(`"${door.name}" gives no unread answer`);
  return door.open(site, asked);
}

async function leaveAfter(count: number, stream: Opened): Promise<void> {
  let seen = 0;
  for await (const _ of stream.pieces()) if (++seen === count) break;
}

/** Aborts after so many pieces and reads on, as a caller does who waits for the end. */
async function readSome(count: number, stream: Opened, abort: AbortController): Promise<void> {
  let seen = 0;
  try {
    for await (const _ of stream.pieces()) if (++seen === count) abort.abort();
  } catch {
    // What an aborted stream tells its reader is not what is tested here.
  }
}
