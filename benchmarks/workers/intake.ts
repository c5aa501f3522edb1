import { withBench } from "./bench.ts";
import { options } from "./options.ts";

/** Prints how fast rows are taken in, from the start of the command to the last chunk that waits for a worker. */
export async function measureIntake(): Promise<void> {
  await withBench(async ({ queue }) => {
    const began = performance.now();
    await queue(options.rows);
    const seconds = (performance.now() - began) / 1000;
    const rate = (options.rows / seconds).toFixed(0);
    console.log(`${options.rows} rows taken in and dealt out in ${seconds.toFixed(1)} s, ${rate} a second\n`);
  });
}
