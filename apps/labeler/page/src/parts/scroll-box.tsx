import type { ReactNode } from "react";

/** What is longer or wider than its place. It can be reached by Tab, because arrows must be able to scroll it. */
export function ScrollBox({
  labelledBy,
  className,
  children,
}: {
  labelledBy: string;
  className?: string;
  children: ReactNode;
}) {
  return (
    <section className={`scroll ${className ?? ""}`} aria-labelledby={labelledBy} tabIndex={0}>
      {children}
    </section>
  );
}
