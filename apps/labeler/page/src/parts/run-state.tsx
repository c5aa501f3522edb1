import { plainState, type RunStatus } from "../../../src/progress/run-status.ts";

/** How a run stands, as a word with a dot. */
export function RunState({ status }: { status: RunStatus }) {
  const kind = status.isWorking ? "working" : status.lastOutcome === "completed" ? "done" : "stopped";
  const [word = "", more] = plainState(status).split(/ \(|, /, 2);
  return (
    <span className={`state ${kind}`} title={more === undefined ? undefined : plainState(status)}>
      {word}
    </span>
  );
}
