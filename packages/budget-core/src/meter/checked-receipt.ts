import { boundReceipt, type Outcome } from "../costs.ts";
import { assertReceipt, type Receipt } from "../receipt.ts";

/** What an extractor says a call did cost; the bound where it fails, or gives NaN or a negative cost: unknown is never free. */
export function checkedReceipt(read: () => Receipt, outcome: Outcome): Receipt {
  try {
    const receipt = read();
    assertReceipt(receipt);
    return receipt;
  } catch {
    return boundReceipt(outcome);
  }
}
