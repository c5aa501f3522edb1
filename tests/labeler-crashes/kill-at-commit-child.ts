import { DatabaseSync, StatementSync } from "node:sqlite";

/**
 * Loaded before the program under test: kills its process right before or right after its n-th commit to a SQLite file,
 * as `KILL_AT_COMMIT` says: `before 7`. `torn 7` plants a bug: nothing is committed together, and the kill comes between
 * two statements.
 */
const [side, nth] = (process.env.KILL_AT_COMMIT ?? "").split(" ");
const { exec } = DatabaseSync.prototype;
const { run } = StatementSync.prototype;
let passed = 0;

/** To be called at every point of the kind that was chosen. */
function pass(): void {
  if (++passed === Number(nth)) process.kill(process.pid, "SIGKILL");
}

DatabaseSync.prototype.exec = function (sql) {
  if (side === "torn" && /^(BEGIN IMMEDIATE|COMMIT)$/.test(sql)) return;
  if (sql === "COMMIT" && side === "before") pass();
  exec.call(this, sql);
  if (sql === "COMMIT" && side === "after") pass();
};

StatementSync.prototype.run = function (...values: Parameters<typeof run>) {
  const result = run.apply(this, values);
  if (side === "torn") pass();
  return result;
};
