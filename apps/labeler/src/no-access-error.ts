import { UsageError } from "./usage-error.ts";

/** The provider does not let this process in: its key or address is missing, or the key is not accepted. Another one may have a better. */
export class NoAccessError extends UsageError {}
