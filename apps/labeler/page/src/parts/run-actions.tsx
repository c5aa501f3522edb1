import { useState } from "react";
import { formatCount, rowsText } from "../../../src/progress/bar.ts";
import type { RunPage } from "../../../src/ui/api.ts";
import { postJson, runAddress } from "../client.ts";
import { fieldOf } from "../field-of.ts";
import { money, plotted } from "../format.ts";
import { ConfirmDialog } from "./confirm-dialog.tsx";

type Action = "pause" | "resume" | "raise";

/** Pauses a run that is worked on; lets one that is not go on, with the same budget or a larger one. */
export function RunActions({ run, reload }: { run: RunPage; reload: () => void }) {
  const [action, setAction] = useState<Action>();
  const { status } = run;
  const left = status.rowsByStatus.unpaid + status.rowsByStatus.error;
  const wantsMoney = status.lastOutcome === "budget";
  const send = async (verb: "pause" | "resume", body: object) => {
    await postJson(runAddress(status.id, `/${verb}`), body);
    reload();
  };
  const close = () => setAction(undefined);

  return (
    <div className="buttons">
      {status.isWorking && (
        <button type="button" onClick={() => setAction("pause")}>
          Pause …
        </button>
      )}
      {!status.isWorking && left > 0 && (
        <button type="button" className={wantsMoney ? "" : "main"} onClick={() => setAction("resume")}>
          Resume …
        </button>
      )}
      {!status.isWorking && status.budgetUsd !== null && (
        <button type="button" className={wantsMoney && left > 0 ? "main" : ""} onClick={() => setAction("raise")}>
          Raise budget …
        </button>
      )}
      {action === "pause" && (
        <ConfirmDialog
          title={`Pause ${status.id}?`}
          confirm="Pause"
          onConfirm={() => send("pause", {})}
          onClose={close}
        >
          <p>Calls in flight are waited for, because they are paid. Nothing that was labeled is lost.</p>
        </ConfirmDialog>
      )}
      {action === "resume" && (
        <ConfirmDialog
          title={`Resume ${status.id}?`}
          confirm="Resume"
          onConfirm={() => send("resume", {})}
          onClose={close}
        >
          <p>
            {rowsText(left)} are left, and{" "}
            {run.freeUsd === null ? "no budget limits them" : `${money(run.freeUsd)} is free`}. Rows that are finished
            are not bought again.
          </p>
        </ConfirmDialog>
      )}
      {action === "raise" && (
        <ConfirmDialog
          title={`Raise the budget of ${status.id}`}
          confirm="Raise and resume"
          onConfirm={(form) => send("resume", { budgetUsd: fieldOf(form, "budget") })}
          onClose={close}
        >
          <p>
            The new budget is for the whole run, the {money(status.spentUsd)} that it did cost included.{" "}
            {formatCount(left)} rows are left.
          </p>
          <label className="field">
            New budget in USD
            <input
              name="budget"
              inputMode="decimal"
              required
              pattern="\d*\.?\d+"
              title="a plain amount such as 2.50"
              defaultValue={suggestedBudget(run)}
              autoComplete="off"
            />
          </label>
        </ConfirmDialog>
      )}
    </div>
  );
}

/** What all rows need with a chance of 90 %, to the next cent; twice the budget where nothing tells. */
function suggestedBudget({ forecast, status }: RunPage): string {
  const budget = plotted(status.budgetUsd);
  const needed = forecast ? plotted(forecast.p90Usd) : 0;
  const suggested = needed > budget ? needed : 2 * budget;
  return suggested < 0.01 ? suggested.toPrecision(2) : (Math.ceil(100 * suggested) / 100).toFixed(2);
}
