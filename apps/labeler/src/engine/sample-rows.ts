import { createHash } from "node:crypto";
import type { PendingRow } from "../store/row.ts";
import type { RunStore } from "../store/run-store.ts";

const drawsPerRow = 200;

/**
 * So many rows that wait to be bought, drawn at random, each as likely as any other. The same rows and the same seed give
 * the same draw on every machine.
 */
export async function sampleRows(store: RunStore, count: number, seed = 1): Promise<PendingRow[]> {
  const { rows, unpaid, errors } = await store.counts();
  if (count >= unpaid + errors) return await store.pending(0, count);
  const drawn = new Map<number, PendingRow>();
  for (let draw = 0; drawn.size < count && draw < drawsPerRow * count; draw++) {
    const turn = drawNumber(`${seed}:${draw}`, rows);
    const [row] = await store.pending(turn, 1);
    // Whoever took the next one that waits would draw those behind a gap more often.
    if (row?.turn === turn) drawn.set(turn, row);
  }
  if (drawn.size === count) return [...drawn.values()];
  // Hardly any row waits: then there are too few to choose from, and the first ones do.
  return await store.pending(0, count);
}

/** A whole number from 0 to `below - 1`. */
function drawNumber(seed: string, below: number): number {
  return createHash("sha256").update(seed).digest().readUIntBE(0, 6) % below;
}
