import { completionsOf } from "./completion-shapes.ts";
import { openRouterChat } from "./openrouter.ts";
import type { Wire } from "./wire.ts";

/** OpenRouter's completions. */
export const openRouterCompletions: Wire = completionsOf(openRouterChat, "/api/v1/completions");
