import type { AccountKey, Balance, BalanceReport, UnresolvedReservation } from "./ledger.ts";

/** An account in a script's reply: its name, then its amounts as decimal texts. */
export type BalanceRow = [
  name: string,
  spent: string,
  held: string,
  unresolved: string,
  callCount: string,
  boundCallCount: string,
];
/** A balance and the fields of its models, each followed by its value. */
export type ReportRow = [balance: BalanceRow, models: string[]];
/** A reservation that has not ended; its number tells the order in which they were made. */
export type HoldRow = [id: string, names: string, amount: string, modelId: string | null, number: string];

/** JSON text: no two accounts share a name, and none has a line break in it. */
export function nameOf({ scope, window }: AccountKey): string {
  return JSON.stringify([scope, window]);
}

/** What the names of all accounts of a scope begin with, and those of no other. */
export function beginningOf(scope: string): string {
  return `[${JSON.stringify(scope)},`;
}

/** The account that has this name. */
function accountOf(name: string): AccountKey {
  const [scope, window] = JSON.parse(name) as [string, string];
  return { scope, window };
}

export function balanceOf([name, spent, held, unresolved, callCount, boundCallCount]: BalanceRow): Balance {
  return {
    ...accountOf(name),
    spentPicoUsd: BigInt(spent),
    heldPicoUsd: BigInt(held),
    unresolvedPicoUsd: BigInt(unresolved),
    callCount: Number(callCount),
    boundCallCount: Number(boundCallCount),
  };
}

export function reportOf([balance, flat]: ReportRow): BalanceReport {
  const fields = fieldsOf(flat);
  const byModel = [...fields.keys()].flatMap((field) => {
    if (!field.startsWith(countField)) return [];
    const modelId = field.slice(countField.length);
    const spentPicoUsd = BigInt(fields.get(`spent_pico_usd ${modelId}`) ?? 0);
    return [[modelId, { callCount: Number(fields.get(field)), spentPicoUsd }] as const];
  });
  return { ...balanceOf(balance), byModel: Object.fromEntries(byModel) };
}

const countField = "call_count ";

export function unresolvedOf([id, names, amount, modelId]: HoldRow): UnresolvedReservation {
  const accounts = namesIn(names).map(accountOf);
  return { id, accounts, amountPicoUsd: BigInt(amount), ...(modelId === null ? {} : { modelId }) };
}

/** The names of accounts in a text that has one a line. */
export function namesIn(text: string): string[] {
  return text === "" ? [] : text.split("\n");
}

/** Fields that Redis lists each followed by its value. */
export function fieldsOf(flat: readonly string[]): Map<string, string> {
  return new Map(
    flat.flatMap((field, index) => (index % 2 === 0 ? [[field, flat[index + 1] as string] as const] : [])),
  );
}
