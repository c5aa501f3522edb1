import { UsageError } from "./usage-error.ts";

/** The provider does not let this process in: a key or address is missing, or the key is not accepted. Others may have one. */
export class NoAccessError extends UsageError {}
