/** How sure the model says it is, from 0 to 1; a dash where it does not say. */
export function Confidence({ value }: { value: number | null }) {
  if (value === null) return <span className="soft">–</span>;
  return <span className={value < 0.5 ? "unsure" : undefined}>{value.toFixed(2)}</span>;
}
