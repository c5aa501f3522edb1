import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { withBudget } from "@autolabel/budget-core";
import { corporateCosts } from "@autolabel/provider-corporate";
import { createOpenAI, meterOpenAI, OpenAI, openAiCosts } from "@autolabel/provider-openai";
import { createOpenRouter, openRouterCosts } from "@autolabel/provider-openrouter";
import { experimental_decide as decide, generateImage, transcribe } from "ai";
import type { Site } from "./door.ts";

/** A way to spend money that has no upper bound yet, so that it is refused before anything is sent. */
export interface ClosedDoor {
  name: string;
  call(site: Site): PromiseLike<unknown>;
}

const apiKey = "test";
const audio = new Uint8Array([1, 2, 3]);
const question = { state: "Hello", questions: { kind: { type: "boolean" as const, instructions: "Is it kind?" } } };

const openRouter = ({ simulator, tracker }: Site) =>
  withBudget(createOpenRouter({ apiKey, baseURL: simulator.openRouterUrl }), { tracker, costs: openRouterCosts() });
const openAi = ({ simulator, tracker }: Site) =>
  withBudget(createOpenAI({ apiKey, baseURL: simulator.openAiUrl }), { tracker, costs: openAiCosts() });
const client = ({ simulator, tracker }: Site) =>
  meterOpenAI(new OpenAI({ apiKey, baseURL: simulator.openAiUrl, maxRetries: 0 }), { tracker });
const gateway = ({ simulator, tracker }: Site) =>
  withBudget(createOpenAICompatible({ name: "corporate", apiKey, baseURL: simulator.gatewayUrl }), {
    tracker,
    costs: corporateCosts({ prices: {} }),
  });

/** The doors that stay closed. One that becomes metered moves to the table of doors. */
export const closedDoors: readonly ClosedDoor[] = [
  {
    name: "OpenRouter, imageModel",
    call: (site) =>
      generateImage({ model: openRouter(site).imageModel("google/gemini-2.5-flash-image"), prompt: "A cat" }),
  },
  {
    name: "OpenRouter, evaluationModel",
    call: (site) => openRouter(site).evaluationModel("openai/gpt-4o-mini").doEvaluate(question),
  },
  {
    name: "OpenAI, decisionModel",
    call: (site) => decide({ model: openAi(site).decisionModel("gpt-6-luna"), ...question }),
  },
  {
    name: "OpenAI, image of a model that thinks as long as it likes",
    call: (site) => generateImage({ model: openAi(site).image("gpt-image-2"), prompt: "A cat" }),
  },
  {
    name: "OpenAI, transcription of compressed sound by the second",
    call: (site) => transcribe({ model: openAi(site).transcription("whisper-1"), audio }),
  },
  {
    name: "OpenAI client, speech by the token without a stated longest answer",
    call: (site) => client(site).audio.speech.create({ model: "gpt-4o-mini-tts", voice: "alloy", input: "Hello" }),
  },
  {
    name: "OpenAI client, images.createVariation",
    call: (site) => client(site).images.createVariation({ image: new File([audio], "a.png") }),
  },
  {
    name: "OpenAI client, batches.create of another endpoint",
    call: (site) =>
      client(site).batches.create({
        input_file_id: "file-1",
        endpoint: "/v1/moderations",
        completion_window: "24h",
      }),
  },
  {
    name: "OpenAI client, audio.transcriptions.create of compressed sound by the second",
    call: (site) => client(site).audio.transcriptions.create({ model: "whisper-1", file: new File([audio], "a.mp3") }),
  },
  {
    name: "OpenAI client, completions.create",
    call: (site) => client(site).completions.create({ model: "gpt-3.5-turbo-instruct", prompt: "Hello" }),
  },
  {
    name: "gateway, imageModel",
    call: (site) => generateImage({ model: gateway(site).imageModel("any-image"), prompt: "A cat" }),
  },
];
