import {
  boundReceipt,
  type CostExtractor,
  type CostTracker,
  type Metering,
  openCall,
  parsePicoUsd,
} from "@autolabel/budget-core";

/** A model of the simulator, and what it costs. */
const modelId = "openai/gpt-4o-mini";
const inputPicoUsd = 150_000n;
const outputPicoUsd = 600_000n;
const maxOutputTokens = 40;

/** What the calls of these tests cost at most, and did cost by what the provider says. */
const costs: CostExtractor = {
  provider: "simulator",
  quote({ request }) {
    const bytes = BigInt(new TextEncoder().encode(JSON.stringify(request)).length);
    return { boundPicoUsd: bytes * inputPicoUsd + BigInt(maxOutputTokens) * outputPicoUsd, maxOutputTokens };
  },
  receipt(outcome) {
    const { usage } = (outcome.result?.body ?? {}) as { usage?: { cost: number } };
    return usage ? { costPicoUsd: parsePicoUsd(usage.cost), modelId } : boundReceipt(outcome);
  },
};

/** One call to make. */
export interface MeteredCall {
  tracker: CostTracker;
  /** OpenRouter's address at the simulator. */
  baseUrl: string;
  prompt: string;
  /** The key that it is billed under. */
  apiKey: () => string;
  onReceipt?: Metering["onReceipt"];
}

/** A call as the AI SDK's middleware makes it, without the SDK: quote, reserve, dispatch, request, settle. */
export async function makeMeteredCall({ tracker, baseUrl, prompt, apiKey, onReceipt }: MeteredCall): Promise<void> {
  const request = { messages: [{ role: "user", content: prompt }] };
  const metering = { tracker, costs, ...(onReceipt ? { onReceipt } : {}) };
  const open = await openCall(metering, { surface: "generate", modelId, request });
  try {
    const response = await fetch(`${baseUrl}/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${apiKey()}`, "content-type": "application/json" },
      body: JSON.stringify({ model: modelId, max_tokens: maxOutputTokens, ...request }),
    });
    await open.succeed({ body: await response.json(), modelId });
  } catch (error) {
    await open.fail(error);
    throw error;
  }
}
