import { columns, messagesFile, offlineSettings, supportLabeler } from "./support-data.ts";
import { moneyOf } from "./watch-run.ts";

/** What the worker is told, as JSON in its first argument. */
export interface WorkerTask {
  openrouterBaseUrl: string;
  store: string;
  name: string;
  budget: string;
  concurrency: number;
}

/** What the worker tells its parent for each finished row. */
export interface RowReport {
  rowId: string;
  spent: bigint;
  held: bigint;
}

/** A process of its own that labels until it is killed. */
async function work({ openrouterBaseUrl, store, ...rest }: WorkerTask): Promise<void> {
  const labeler = supportLabeler({ settings: offlineSettings(openrouterBaseUrl, store), ...rest });
  const run = await labeler.start({ rows: messagesFile, column: columns.text });
  for await (const { rowId } of run) {
    const { spent, held } = await moneyOf(run);
    process.send?.({ rowId, spent, held } satisfies RowReport);
  }
  await run.close();
  process.disconnect?.();
}

await work(JSON.parse(process.argv[2] ?? "{}") as WorkerTask);
