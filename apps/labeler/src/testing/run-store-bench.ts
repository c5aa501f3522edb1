import type { RowOrder, RowResult, RunStore } from "../store/run-store.ts";

/** One run of a test's own, on a real engine. */
export interface RunStoreBench {
  /** Opens the run to work on it. Opened again, it is what was stored. */
  open(): Promise<RunStore>;
  /** Opens it beside whoever works on it. */
  beside(): Promise<RunStore>;
  /** Opens it as it is after everything that works on it was killed, at once. */
  afterKill(): Promise<RunStore>;
}

/** A test of a run that holds nothing yet, opened to work on it. */
export type Case = (store: RunStore, bench: RunStoreBench) => Promise<void>;

export const file: RowOrder = { kind: "file" };
export const labeled: RowResult = { status: "labeled", label: "x", taskVersion: "v" };
export const textsOf = (...texts: string[]) =>
  texts.map((text, index) => ({ rowId: `id ${index}`, text, input: { text } }));
export const placesOf = (rows: readonly { position: number }[]) => rows.map(({ position }) => position);
export const waiting = async (store: RunStore) => placesOf(await store.pending(0));
export const addTexts = (store: RunStore, ...texts: string[]) =>
  store.addRows(textsOf(...texts), { order: file, dedupe: true });
