import { LedgerError, ReservationStateError } from "@autolabel/budget-core";
import { describe, expect, it } from "vitest";
import { patiently } from "./patiently.ts";

/** What a step threw, and how often it was tried. */
async function told(error: unknown, times = Number.POSITIVE_INFINITY) {
  let tries = 0;
  const outcome = await patiently(async () => {
    if (++tries <= times) throw error;
    return "done";
  }).catch((thrown: unknown) => thrown);
  return { outcome, tries };
}

describe("a step that must not be lost", () => {
  it.each([
    ["a refused connection", Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" })],
    ["a server that shuts down", Object.assign(new Error("terminating"), { code: "57P01" })],
    ["a server that starts", Object.assign(new Error("the database system is starting up"), { code: "57P03" })],
    ["a deadlock", Object.assign(new Error("deadlock detected"), { code: "40P01" })],
    ["a connection that ends", new Error("Connection terminated unexpectedly")],
    [
      "a ledger that cannot be reached",
      new LedgerError({ message: "away", cause: new Error("no answer within 9 ms") }),
    ],
  ])("is taken again after %s", async (_name, error) => {
    expect(await told(error, 2)).toEqual({ outcome: "done", tries: 3 });
  });

  it.each([
    [
      "a refusal of the ledger",
      new ReservationStateError({ reservationId: "r", state: "settled", step: "dispatched" }),
    ],
    ["what the server cannot store", Object.assign(new Error("value too long"), { code: "22001" })],
    ["a full disk", new LedgerError({ message: "full", cause: Object.assign(new Error("full"), { code: "53100" }) })],
    ["a bug", new TypeError("x is not a function")],
  ])("is not after %s", async (_name, error) => {
    expect(await told(error)).toEqual({ outcome: error, tries: 1 });
  });
});
