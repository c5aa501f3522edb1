import { openRouterGeneration } from "./generation.ts";
import { type OpenRouterKey, openRouterKey } from "./key.ts";
import type { OpenRouterApiOptions } from "./openrouter-api.ts";

/** A call as it stands in the books. */
export interface BookedCall {
  /** OpenRouter's id of the call: `openRouterGenerationId(outcome)` in `onReceipt`. */
  generationId: string;
  /** What was posted for it, in pico-USD. */
  costPicoUsd: bigint;
}

/** A call whose booked cost is not what OpenRouter billed. */
export interface DriftedCall {
  generationId: string;
  bookedPicoUsd: bigint;
  billedPicoUsd: bigint;
  /** Billed less booked: above zero, the books are short. */
  driftPicoUsd: bigint;
}

/** How far the books are from OpenRouter's, to the pico-USD. */
export interface DriftReport {
  /** Calls that were compared. */
  comparedCount: number;
  /** Those that differ, the largest difference first. */
  drifted: readonly DriftedCall[];
  /** Ids that OpenRouter has no record of; they are in no total. */
  missing: readonly string[];
  bookedPicoUsd: bigint;
  billedPicoUsd: bigint;
  /** Billed less booked, over the calls that were compared. */
  driftPicoUsd: bigint;
  /** What the key was charged since `keyBefore`, your own provider keys included; only with `keyBefore`. */
  keyChargedPicoUsd?: bigint;
  /** Of that, what no compared call accounts for: other users of the key, or calls that are not in the books. */
  unexplainedPicoUsd?: bigint;
}

/** Options of {@link reconcileOpenRouter}. */
export interface ReconcileOptions extends OpenRouterApiOptions {
  /** Look-ups at a time. Default 8. */
  concurrency?: number;
  /** The key as it was before the first of the calls: the report then tells what it was charged since. */
  keyBefore?: OpenRouterKey;
}

/**
 * Compares the books with OpenRouter's own record of each call.
 *
 * @throws OpenRouterApiError when a record cannot be read for another reason than that there is none, and what `fetch`
 * throws: a report is whole or none.
 */
export async function reconcileOpenRouter(
  calls: readonly BookedCall[],
  options: ReconcileOptions = {},
): Promise<DriftReport> {
  const { concurrency = 8, keyBefore, ...api } = options;
  const billed = new Map<string, bigint>();
  const ids = new Set(calls.map(({ generationId }) => generationId)).values();
  const work = async () => {
    for (const id of ids) {
      const receipt = await openRouterGeneration(id, api);
      if (receipt) billed.set(id, receipt.costPicoUsd);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  const report = diffBooks(calls, billed);
  if (!keyBefore) return report;
  const keyChargedPicoUsd = chargedTo(await openRouterKey(api)) - chargedTo(keyBefore);
  return { ...report, keyChargedPicoUsd, unexplainedPicoUsd: keyChargedPicoUsd - report.billedPicoUsd };
}

/** The report for calls in the books and what was billed for each id. A call booked in several postings counts as one. */
export function diffBooks(calls: readonly BookedCall[], billed: ReadonlyMap<string, bigint>): DriftReport {
  const booked = new Map<string, bigint>();
  for (const { generationId, costPicoUsd } of calls) {
    booked.set(generationId, (booked.get(generationId) ?? 0n) + costPicoUsd);
  }
  const missing: string[] = [];
  const drifted: DriftedCall[] = [];
  const total = { booked: 0n, billed: 0n };
  for (const [generationId, bookedPicoUsd] of booked) {
    const billedPicoUsd = billed.get(generationId);
    if (billedPicoUsd === undefined) {
      missing.push(generationId);
      continue;
    }
    total.booked += bookedPicoUsd;
    total.billed += billedPicoUsd;
    const driftPicoUsd = billedPicoUsd - bookedPicoUsd;
    if (driftPicoUsd !== 0n) drifted.push({ generationId, bookedPicoUsd, billedPicoUsd, driftPicoUsd });
  }
  drifted.sort((a, b) => (magnitude(a) < magnitude(b) ? 1 : -1));
  return {
    comparedCount: booked.size - missing.length,
    drifted,
    missing,
    bookedPicoUsd: total.booked,
    billedPicoUsd: total.billed,
    driftPicoUsd: total.billed - total.booked,
  };
}

function magnitude({ driftPicoUsd }: DriftedCall): bigint {
  return driftPicoUsd < 0n ? -driftPicoUsd : driftPicoUsd;
}

function chargedTo({ usage, byokUsage }: OpenRouterKey): bigint {
  return usage.picoUsd + byokUsage.picoUsd;
}
