import type { RunStatus } from "../../../src/progress/run-status.ts";
import { runStanding } from "../format.ts";

/** How a run stands, as a word with a dot. */
export function RunState({ status }: { status: RunStatus }) {
  const { kind, word, whole } = runStanding(status);
  return (
    <span className={`state ${kind}`} title={whole}>
      {word}
    </span>
  );
}
