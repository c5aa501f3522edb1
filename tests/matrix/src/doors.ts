import type { Door } from "./door.ts";
import { gatewayDoors } from "./gateway-doors.ts";
import { openAiDoors } from "./openai-doors.ts";
import { openRouterDoors } from "./openrouter-doors.ts";

/** Every door of the project. */
export const doors: readonly Door[] = [...openRouterDoors, ...openAiDoors, ...gatewayDoors];
