import { fileURLToPath } from "node:url";
import { AutoLabeler, Settings } from "@autolabel/labeler";

/** 240 messages to a shop's support, with the topic that a person gave each in the column `topic`. */
export const messagesFile = fileURLToPath(new URL("./data/support-messages.csv", import.meta.url));

/** The column of the text, and the one of the right answer, which no model sees. */
export const columns = { text: "text", gold: "topic" } as const;

/** The labeler of the demo: one task, for scenes that differ only in budget and provider. */
export function supportLabeler(options: {
  settings: Settings;
  budget: string;
  name?: string;
  concurrency?: number;
}): AutoLabeler {
  const { settings, budget, name = "support-messages", concurrency = 16 } = options;
  return new AutoLabeler(name, settings, {
    model: "openrouter:openai/gpt-4o-mini",
    labels: ["billing", "delivery", "refund", "technical_issue", "account_access", "praise"],
    guidelines: "The text is a message to the support of a shop. Choose what the customer wants dealt with first.",
    budget,
    concurrency,
  });
}

/** Settings that reach the simulator and nothing else, whatever the environment holds. */
export function offlineSettings(openrouterBaseUrl: string, store: string): Settings {
  return new Settings({ openrouterApiKey: "no-key-needed", openrouterBaseUrl, store }, { env: {} });
}
