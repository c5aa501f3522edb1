import { exactNumber } from "../json.ts";
import { decimalText } from "../pico-usd.ts";
import type { SimulatedAccount } from "../simulated-account.ts";
import type { PricedModel } from "../simulated-model.ts";

const SUPPORTED = [
  "max_tokens",
  "response_format",
  "structured_outputs",
  "tools",
  "tool_choice",
  "seed",
  "temperature",
];

/** Prices in pico-USD per million tokens have 18 decimals as USD per token. */
const PER_TOKEN_DECIMALS = 18;

/** The body of OpenRouter's `GET /models`. */
export function openRouterModels(account: SimulatedAccount): unknown {
  const sold = [...account.models.values()].filter((model) => model.wires.includes("openrouter"));
  return {
    data: sold.map((model) => ({
      id: model.id,
      canonical_slug: model.id,
      name: model.name,
      created: 1_735_689_600,
      description: "A simulated model.",
      context_length: model.contextLength,
      architecture: {
        modality: "text->text",
        input_modalities: ["text"],
        output_modalities: ["text"],
        tokenizer: "Other",
        instruct_type: null,
      },
      pricing: pricing(model),
      top_provider: {
        context_length: model.contextLength,
        max_completion_tokens: model.maxCompletionTokens ?? null,
        is_moderated: false,
      },
      per_request_limits: null,
      supported_parameters: SUPPORTED,
    })),
  };
}

/** The body of OpenRouter's `GET /models/:author/:slug/endpoints`, or undefined for an unknown model. */
export function openRouterEndpoints(account: SimulatedAccount, id: string): unknown {
  const model = account.models.get(id);
  if (!model?.wires.includes("openrouter")) return undefined;
  const endpoints = model.endpoints.map((endpoint) => ({
    name: `${endpoint.provider} | ${model.id}`,
    provider_name: endpoint.provider,
    tag: endpoint.tag,
    context_length: model.contextLength,
    pricing: pricing(endpoint),
    quantization: "unknown",
    max_completion_tokens: model.maxCompletionTokens ?? null,
    max_prompt_tokens: null,
    supported_parameters: SUPPORTED,
    status: 0,
    uptime_last_30m: 100,
  }));
  return { data: { id: model.id, name: model.name, created: 1_735_689_600, description: "", endpoints } };
}

/** The body of OpenRouter's `GET /generation?id=`, or undefined when nothing was billed under this id, or not long enough ago. */
export function openRouterGeneration(account: SimulatedAccount, id: string): unknown {
  const line = account.invoice.find(id);
  if (!line || !account.countLookup(id)) return undefined;
  const { byok } = account.reporting;
  const charge = decimalText(line.costPicoUsd);
  return {
    data: {
      id: line.id,
      model: line.model,
      created_at: line.at,
      streamed: line.streamed,
      cancelled: line.outcome === "aborted",
      finish_reason: line.outcome === "completed" ? "stop" : null,
      provider_name: line.provider,
      is_byok: byok,
      total_cost: exactNumber(byok ? "0" : charge),
      usage: exactNumber(byok ? "0" : charge),
      upstream_inference_cost: exactNumber(charge),
      tokens_prompt: line.promptTokens,
      tokens_completion: line.completionTokens,
      native_tokens_prompt: line.promptTokens,
      native_tokens_cached: line.cachedTokens,
      native_tokens_completion: line.completionTokens,
      native_tokens_reasoning: line.reasoningTokens,
    },
  };
}

/** The body of OpenRouter's `GET /key`. */
export function openRouterKey(account: SimulatedAccount, apiKey: string): unknown {
  const { creditPicoUsd } = account.options;
  const used = account.invoice.totalPicoUsd;
  const usd = (picoUsd: bigint) => exactNumber(decimalText(picoUsd));
  const usage = usd(account.reporting.byok ? 0n : used);
  const left = account.creditLeftPicoUsd;
  return {
    data: {
      label: apiKey === "" ? "no key" : `…${apiKey.slice(-4)}`,
      limit: creditPicoUsd === undefined ? null : usd(creditPicoUsd),
      limit_reset: null,
      limit_remaining: left === undefined ? null : usd(left > 0n ? left : 0n),
      include_byok_in_limit: false,
      usage,
      usage_daily: usage,
      usage_weekly: usage,
      usage_monthly: usage,
      byok_usage: usd(account.reporting.byok ? used : 0n),
      is_free_tier: false,
      is_provisioning_key: false,
    },
  };
}

/** The body of OpenAI's `GET /models`. */
export function openAiModels(account: SimulatedAccount): unknown {
  const sold = [...account.models.values()].filter((model) => model.wires.includes("openai"));
  return {
    object: "list",
    data: sold.map(({ id }) => ({ id, object: "model", created: 1_735_689_600, owned_by: "system" })),
  };
}

function pricing(model: PricedModel): Record<string, string> {
  const perToken = (picoUsdPerMillion: bigint) => decimalText(picoUsdPerMillion, PER_TOKEN_DECIMALS);
  return {
    prompt: perToken(model.prompt),
    completion: perToken(model.completion),
    request: decimalText(model.requestPicoUsd),
    image: "0",
    ...(model.cached !== undefined && { input_cache_read: perToken(model.cached) }),
    ...(model.cacheWrite !== undefined && { input_cache_write: perToken(model.cacheWrite) }),
  };
}
