import type { Inclusion } from "../engine/inclusion.ts";
import { formatCount } from "./bar.ts";

/** How the rows were chosen that a run has bought, where it has not bought all: whether they stand for the rest. */
export function inclusionText({ order, isMixed, inOrder, beyond, strata }: Inclusion): string {
  if (isMixed) return "in several orders, one after the other: together they are no random sample";
  const why = `${order.kind === "file" ? "of a probe, or " : ""}short enough for the last of the budget`;
  const others = beyond > 0 ? `, and ${formatCount(beyond)} more (${why})` : "";
  if (order.kind === "file") {
    return `the first ${formatCount(inOrder)} of the file${others}: no random sample (--order random leaves one)`;
  }
  const shares = strata.map(({ share }) => share);
  const [least, most] = [percent(Math.min(...shares)), percent(Math.max(...shares))];
  const probability = least === most ? least : `${least} to ${most}`;
  const within = order.kind === "stratified" ? ` within each value of ${order.column}` : "";
  return `at random${within} (seed ${order.seed}): a row is labeled with probability ${probability}${others}`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
