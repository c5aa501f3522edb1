import { engineNamed } from "./engines.ts";

/** Amounts of a pool, in pico-USD, and its calls of unknown outcome. */
export interface PoolBalance {
  spentPicoUsd: bigint;
  heldPicoUsd: bigint;
  unresolvedPicoUsd: bigint;
  unresolved: number;
}

/** A ledger of an engine that labeling runs share by `--pool`. */
export interface SharedLedger {
  /** Its address, for `--ledger`. */
  address: string;
  balance(pool: string): Promise<PoolBalance>;
  stop(): Promise<void>;
}

/** Starts an engine of that name with an empty ledger. */
export async function startSharedLedger(name: string): Promise<SharedLedger> {
  const engine = engineNamed(name);
  const store = await engine.start();
  const [address = ""] = (await store.freshUrl()).split("#");
  return {
    address,
    balance: async (pool) => {
      // What the command line takes where nothing else is said.
      const ledger = await engine.open(address.includes("://") ? `${address}#autolabel` : address);
      try {
        const scope = `pool/${pool}`;
        const { accounts, open } = await ledger.inspect({ scopes: [scope] });
        const account = accounts.find((each) => each.scope === scope);
        const { spentPicoUsd = 0n, heldPicoUsd = 0n, unresolvedPicoUsd = 0n } = account ?? {};
        const isOfPool = (call: (typeof open)[number]) => call.accounts.some((each) => each.scope === scope);
        const unresolved = open.filter((call) => call.state === "unresolved" && isOfPool(call)).length;
        return { spentPicoUsd, heldPicoUsd, unresolvedPicoUsd, unresolved };
      } finally {
        await ledger.close();
      }
    },
    stop: () => store.stop(),
  };
}
