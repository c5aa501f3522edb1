import type { RunStatus } from "../../../src/progress/run-status.ts";
import { money, plotted } from "../format.ts";

type Balances = Pick<RunStatus, "budgetUsd" | "spentUsd" | "heldUsd" | "unresolvedUsd">;

/** How much of a budget is spent, held and unresolved; the rest of the bar is free. Nothing without a budget. */
export function SpendBar({ balances }: { balances: Balances }) {
  const { budgetUsd, spentUsd, heldUsd, unresolvedUsd } = balances;
  if (budgetUsd === null) return null;
  const used = plotted(spentUsd) + plotted(heldUsd) + plotted(unresolvedUsd);
  const whole = Math.max(plotted(budgetUsd), used);
  const parts = { spent: spentUsd, held: heldUsd, unresolved: unresolvedUsd };
  const told = Object.entries(parts).flatMap(([name, amount]) =>
    plotted(amount) > 0 ? [`${money(amount)} ${name}`] : [],
  );
  return (
    <span className="spend-bar" role="img" aria-label={`${told.join(", ") || "nothing spent"} of ${money(budgetUsd)}`}>
      {Object.entries(parts).map(([name, amount]) => (
        <i key={name} className={name} style={{ width: `${whole === 0 ? 0 : (100 * plotted(amount)) / whole}%` }} />
      ))}
    </span>
  );
}
