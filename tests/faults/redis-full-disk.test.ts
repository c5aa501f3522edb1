import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CostTracker, LedgerError } from "@autolabel/budget-core";
import { verifyLedger } from "@autolabel/budget-core/audit";
import { RedisLedger } from "@autolabel/budget-core/ledgers/redis";
import { startSimulator } from "@autolabel/simulator";
import { createClient } from "redis";
import { describe, expect, it } from "vitest";
import { makeMeteredCall } from "../metered-call.ts";
import { isRedisThere, startRedis } from "../servers/start-redis.ts";

/** Mounts a small disk in memory. @returns its folder; undefined where that is not allowed. */
function smallDisk(): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), "redis-disk-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], { stdio: "ignore" });
    return folder;
  } catch {
    console.warn("Not tested: a full disk below Redis. It takes the right to mount a file system (root on Linux)");
    rmSync(folder, { recursive: true });
    return undefined;
  }
}

describe.skipIf(!isRedisThere())("a full disk below Redis", () => {
  it.for(["everysec", "always"])(
    "lets no call leave, and loses none that was made (appendfsync %s)",
    async (fsync, { skip }) => {
      const disk = smallDisk();
      if (disk === undefined) return skip();
      const simulator = await startSimulator();
      const server = await startRedis({ dir: disk, appendonly: "yes", appendfsync: fsync });
      const client = createClient({ url: server.url, disableOfflineQueue: true });
      client.on("error", () => undefined);
      await client.connect();
      const ledger = new RedisLedger(client);
      const tracker = new CostTracker({ name: "app", budget: 1, ledger });
      const call = () =>
        makeMeteredCall({ tracker, baseUrl: simulator.openRouterUrl, prompt: "A call", apiKey: () => "key" });
      try {
        await call();
        const ballast = join(disk, "ballast");
        const { bavail, bsize } = statfsSync(disk);
        writeFileSync(ballast, Buffer.alloc(bavail * bsize));
        // The page that the log ends in may have room for a few steps more.
        let error: unknown;
        for (let tries = 0; tries < 20 && error === undefined; tries++)
          error = await call().then(
            () => undefined,
            (reason: unknown) => reason,
          );
        expect(LedgerError.isInstance(error), String(error)).toBe(true);
        const sent = simulator.requests;
        for (let tries = 0; tries < 10; tries++) await expect(call()).rejects.toMatchObject({ code: "ledger" });
        expect(simulator.requests).toBe(sent);

        rmSync(ballast);
        await server.restart();
        await expect.poll(() => client.isReady, { timeout: 30_000 }).toBe(true);
        // What was under way when the disk filled up is ended by what the provider billed for it.
        const unresolved = await tracker.recover({ abandoned: true });
        const { spent } = (await tracker.getStats()).exact;
        const missing = simulator.invoice.totalPicoUsd - spent.picoUsd;
        expect(missing).toBeGreaterThanOrEqual(0n);
        const bound = unresolved.reduce((sum, { amountPicoUsd }) => sum + amountPicoUsd, 0n);
        expect(missing).toBeLessThanOrEqual(bound);
        await call();
        expect(verifyLedger(await ledger.inspect())).toEqual([]);
      } finally {
        client.destroy();
        await Promise.all([server.stop(), simulator.close()]);
        execFileSync("umount", [disk]);
        rmSync(disk, { recursive: true });
      }
    },
  );
});
