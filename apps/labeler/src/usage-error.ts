/**
 * A mistake in what was asked for: a flag, a file, a setting. Nothing was sent and nothing spent. The message is one
 * line that names the fix; the CLI exits with 2.
 */
export class UsageError extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "UsageError";
  }
}
