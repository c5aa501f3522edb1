import { exactMoney, money } from "../format.ts";

/** An amount of money; its last digit shows on a closer look. */
export function Amount({ usd }: { usd: string | null }) {
  if (usd === null) return <span className="amount">–</span>;
  return (
    <span className="amount" title={exactMoney(usd)}>
      {money(usd)}
    </span>
  );
}
