import { type Receipt, ReservationStateError, type ReserveRequest } from "@autolabel/budget-core";
import { PostgresLedger } from "@autolabel/budget-core/ledgers/postgres";
import type { Pool } from "pg";
import { patiently } from "./patiently.ts";

/** An attempt whose charge may be posted in the same turn. */
export interface Joining {
  attempt: object;
  resolve: () => void;
  reject: (error: unknown) => void;
}

/** Hands over the attempt of a reservation, and where it is kept. */
type TakeJoining = (reservationId: string) => (Joining & { functionName: string }) | undefined;

/**
 * A ledger that settles a call in one transaction with its answer, where that was recorded right before, and waits for a
 * database that is away for a while.
 */
export class JoinedLedger extends PostgresLedger {
  readonly #joining: TakeJoining;

  constructor(client: Pool, options: { schema: string }, joining: TakeJoining) {
    super(client, options);
    this.#joining = joining;
  }

  override reserve(request: ReserveRequest) {
    return patiently(() => super.reserve(request));
  }

  override markDispatched(reservationId: string) {
    return patiently(() => super.markDispatched(reservationId));
  }

  override split(...asked: Parameters<PostgresLedger["split"]>) {
    return patiently(() => super.split(...asked));
  }

  override async settle(reservationId: string, receipt: Receipt) {
    const joining = this.#joining(reservationId);
    if (!joining) return await patiently(() => super.settle(reservationId, receipt));
    const { functionName, attempt: value, resolve, reject } = joining;
    try {
      const balances = await patiently(() => super.settle(reservationId, receipt, { functionName, value }));
      resolve();
      return balances;
    } catch (error) {
      // Refused, not failed: the answer is kept all the same.
      if (ReservationStateError.isInstance(error)) resolve();
      else reject(error);
      throw error;
    }
  }
}
