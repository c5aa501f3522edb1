import type { CostTracker } from "@autolabel/budget-core";
import type { Simulator, SimulatorOptions } from "@autolabel/simulator";
import type { Asked, Kind, Opened, Way } from "./way.ts";

/** Whose rules of billing and evidence hold behind a door. */
export type Provider = (typeof providers)[number];

/** Every provider, in the order of the page. OpenRouter's records can be looked up, or not. */
export const providers = [
  "OpenRouter",
  "OpenRouter, no look-up",
  "OpenAI",
  "OpenAI client",
  "gateway",
  "gateway, cost in header",
  "free gateway",
] as const;

/** Where a call is made: a provider that bills, and the budget that counts. */
export interface Site {
  simulator: Pick<Simulator, "url" | "openRouterUrl" | "openAiUrl" | "gatewayUrl">;
  tracker: CostTracker;
}

/** One way to spend money through the project. */
export type Door = {
  name: string;
  provider: Provider;
  kind: Kind;
  /** Requests that the call makes before the one that an ending strikes. */
  requestsBefore: number;
  /** Lines on the invoice for an answer. */
  bills: number;
  /** How the provider of this door is set up. */
  options: SimulatorOptions;
  /** `open` gives an answer to its caller unread; other calls give what they answer. */
  call(site: Site, asked: Asked): PromiseLike<unknown>;
  open?(site: Site, asked: Asked): Promise<Opened>;
};

/** Whose client or model it is, what it is called, how it is made, and how its provider is set up. */
interface Opening<Client> {
  provider: Provider;
  name: string;
  connect: (site: Site) => Client;
  options?: SimulatorOptions;
}

/** All ways through one client or model, each of them a door. */
export function doorsOf<Client>(opening: Opening<Client>, ways: readonly Way<Client>[]): Door[] {
  const { provider, name, connect, options = {} } = opening;
  return ways.map((way) => {
    const { kind, requestsBefore = 0, bills = 1 } = way;
    const door = { name: `${name}: ${way.name}`, provider, kind, requestsBefore, bills, options };
    if (!("open" in way)) return { ...door, call: (site, asked) => way.call(connect(site), asked) };
    const open = (site: Site, asked: Asked) => way.open(connect(site), asked);
    const call = async (site: Site, asked: Asked) => {
      for await (const _ of (await open(site, asked)).pieces());
    };
    return { ...door, open, call };
  });
}
