import { UnboundedRequestError } from "@autolabel/budget-core";

/** The refusal of a call whose cost has no upper bound before it is sent. */
export function unbounded(reason: string, fix: string): UnboundedRequestError {
  return new UnboundedRequestError({ reason, fix });
}

/** @throws UnboundedRequestError for a member that is not known to be bounded: it could add input or cost. */
export function refuseUnknownMembers(members: object, known: ReadonlySet<string>): void {
  for (const [name, value] of Object.entries(members)) {
    if (value === undefined || value === null || known.has(name)) continue;
    throw unbounded(
      `"${name}" can add input or cost that is not in the request`,
      `Leave out "${name}", or call without a budget.`,
    );
  }
}

/** The names of a list that is written as words. */
export function namesOf(words: string): ReadonlySet<string> {
  return new Set(words.split(/\s+/));
}
