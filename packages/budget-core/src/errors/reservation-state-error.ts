import { BudgetError, hasCode } from "./budget-error.ts";

/** A step that a reservation's state does not allow, such as releasing a dispatched call without evidence. */
export class ReservationStateError extends BudgetError {
  readonly reservationId: string;
  readonly state: string;

  constructor(options: { reservationId: string; state: string; step: string }) {
    super({
      code: "reservation_state",
      message: `Reservation ${options.reservationId} is ${options.state}: it cannot be ${options.step}`,
    });
    this.name = "ReservationStateError";
    this.reservationId = options.reservationId;
    this.state = options.state;
  }

  static override isInstance(error: unknown): error is ReservationStateError {
    return hasCode(error, "reservation_state");
  }
}
