/** A length beside a number; the number says it all, so the bar is for the eye alone. */
export function ShareBar({ share }: { share: number }) {
  return (
    <span className="share-bar" aria-hidden="true">
      <i style={{ width: `${Math.min(100, 100 * share)}%` }} />
    </span>
  );
}
