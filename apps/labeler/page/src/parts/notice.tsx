import type { ReactNode } from "react";
import { RequestError } from "../client.ts";

/** Something is on its way. */
export function Loading({ what }: { what: string }) {
  return (
    <p className="notice" role="status">
      <span className="spinner" aria-hidden="true" />
      Loading {what} …
    </p>
  );
}

/** Something could not be loaded, and what helps. */
export function Failure({ error, onRetry }: { error: Error; onRetry: () => void }) {
  const isLockedOut = error instanceof RequestError && (error.status === 401 || error.status === 403);
  return (
    <div className="notice failure" role="alert">
      <h1>{isLockedOut ? "This page is locked" : "This could not be loaded"}</h1>
      <p>{error.message}</p>
      {isLockedOut ? (
        <p>
          Open the address that <code>autolabel ui</code> printed when it started: it carries the key.
        </p>
      ) : (
        <button type="button" onClick={onRetry}>
          Try again
        </button>
      )}
    </div>
  );
}

/** There is nothing to show, and why. */
export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="notice empty">
      <h2>{title}</h2>
      {children}
    </div>
  );
}
