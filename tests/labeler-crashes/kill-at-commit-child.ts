import { DatabaseSync, StatementSync } from "node:sqlite";

/**
 * Loaded before the program under test: kills its process right before or right after its n-th commit to a SQLite file,
 * as its own address says: `?before=7`; or right after its n-th statement that writes: `?ran=7`. `?torn=7` plants a bug: nothing is committed together, and the kill comes between
 * two statements.
 */
const [side, nth] = new URL(import.meta.url).search.slice(1).split("=");
let passed = 0;

/** To be called at every point of the kind that was chosen. */
function pass(): void {
  if (++passed === Number(nth)) process.kill(process.pid, "SIGKILL");
}

/** Puts `around` in the place of a method. */
function replace(owner: object, name: string, around: (call: () => unknown, sql: unknown) => unknown): void {
  const method = Reflect.get(owner, name) as (...given: unknown[]) => unknown;
  Reflect.set(owner, name, function (this: unknown, ...given: unknown[]) {
    return around(() => Reflect.apply(method, this, given), given[0]);
  });
}

replace(DatabaseSync.prototype, "exec", (exec, sql) => {
  if (side === "torn" && (sql === "BEGIN IMMEDIATE" || sql === "COMMIT")) return;
  if (sql === "COMMIT" && side === "before") pass();
  exec();
  if (sql === "COMMIT" && side === "after") pass();
});

replace(StatementSync.prototype, "run", (run) => {
  const result = run();
  if (side === "torn" || side === "ran") pass();
  return result;
});
