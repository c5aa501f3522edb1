import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { type Money, type Usd, usd } from "@autolabel/budget-core";
import { UsageError } from "../usage-error.ts";

/** What {@link Settings} takes; each value stands before its environment variable. */
export interface SettingsInput {
  /** Limit in USD over all runs without a budget of their own, together. `LLM_BUDGET`. */
  llmBudget?: Usd;
  /** `OPENROUTER_API_KEY`. */
  openrouterApiKey?: string;
  /** Default `https://openrouter.ai/api/v1`. `OPENROUTER_BASE_URL`. */
  openrouterBaseUrl?: string;
  /** `OPENAI_API_KEY`. */
  openaiApiKey?: string;
  /** Default OpenAI's own. `OPENAI_BASE_URL`. */
  openaiBaseUrl?: string;
  /** `CORPORATE_API_KEY`; many gateways need none. */
  corporateApiKey?: string;
  /** Address of the company's gateway, such as `https://llm.example.com/v1`. `CORPORATE_BASE_URL`. */
  corporateBaseUrl?: string;
  /** Folder of the run files. Default `.autolabel` in the working folder. `AUTOLABEL_STORE`. */
  store?: string;
  /**
   * Where what several runs share is counted, pools and `llmBudget`: a `postgres://` or `redis://` URL for any number of
   * machines, or a SQLite file. Default: `llm-budget.ledger` in the store. `AUTOLABEL_LEDGER`.
   */
  ledger?: string;
}

/** Keys, addresses and the global budget: from code, else the environment, else a `.env` file in the working folder. */
export class Settings {
  readonly llmBudget: Money | undefined;
  readonly openrouterApiKey: string | undefined;
  readonly openrouterBaseUrl: string | undefined;
  readonly openaiApiKey: string | undefined;
  readonly openaiBaseUrl: string | undefined;
  readonly corporateApiKey: string | undefined;
  readonly corporateBaseUrl: string | undefined;
  readonly store: string;
  readonly ledger: string | undefined;

  /**
   * @param options.env stands for the process environment and the `.env` file.
   * @throws InvalidAmountError for a budget that is not a finite amount >= 0.
   */
  constructor(input: SettingsInput = {}, options: { env?: Readonly<Record<string, string | undefined>> } = {}) {
    const env = options.env ?? { ...readDotEnv(), ...process.env };
    // An empty variable is an unset one: `LLM_BUDGET=` in a .env file must not mean a budget of nothing.
    const from = (name: string) => env[name]?.trim() || undefined;
    const budget = input.llmBudget ?? from("LLM_BUDGET");
    this.llmBudget = budget === undefined ? undefined : readBudget(budget, "LLM_BUDGET");
    this.openrouterApiKey = input.openrouterApiKey ?? from("OPENROUTER_API_KEY");
    this.openrouterBaseUrl = input.openrouterBaseUrl ?? from("OPENROUTER_BASE_URL");
    this.openaiApiKey = input.openaiApiKey ?? from("OPENAI_API_KEY");
    this.openaiBaseUrl = input.openaiBaseUrl ?? from("OPENAI_BASE_URL");
    this.corporateApiKey = input.corporateApiKey ?? from("CORPORATE_API_KEY");
    this.corporateBaseUrl = input.corporateBaseUrl ?? from("CORPORATE_BASE_URL");
    this.store = input.store ?? from("AUTOLABEL_STORE") ?? ".autolabel";
    this.ledger = input.ledger ?? from("AUTOLABEL_LEDGER");
  }
}

/** @throws UsageError that names where the amount was given. */
export function readBudget(amount: Usd, where: string): Money {
  try {
    return usd(amount);
  } catch (cause) {
    throw new UsageError(`${where} must be an amount in USD >= 0 such as 5 or 0.25, not "${String(amount)}"`, {
      cause,
    });
  }
}

function readDotEnv(): Record<string, string | undefined> {
  try {
    return parseEnv(readFileSync(join(process.cwd(), ".env"), "utf8"));
  } catch {
    return {};
  }
}
