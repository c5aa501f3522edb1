import { completionsOf } from "./completion-shapes.ts";
import { openAiChat } from "./openai-chat.ts";
import type { Wire } from "./wire.ts";

/** OpenAI's old completions. Whatever model speaks chat completions is sold here too. */
export const openAiCompletions: Wire = completionsOf(openAiChat, "/v1/completions");
