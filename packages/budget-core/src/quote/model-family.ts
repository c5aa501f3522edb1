/** What a provider adds to a request unseen, and how much an image counts, by who made the model. */
interface ModelFamily {
  /** Tokens of hidden text: role markers, priming, system text. */
  hiddenTextTokens: number;
  /** Tokens of hidden text when the request offers tools. */
  hiddenTextTokensWithTools: number;
  /** The most tokens that one image counts as; undefined where nobody tells. Models are matched in turn. */
  imageTokens: readonly [model: RegExp, tokens: number][];
}

const plainText = { hiddenTextTokens: 64, hiddenTextTokensWithTools: 64 };
/** Where a provider is not known, or known to add a system text. */
const unknownText = { hiddenTextTokens: 1024, hiddenTextTokensWithTools: 1024 };

/** Image maxima are the documented ones: providers publish sizes, and users have measured up to 1.2 times as much. */
const families: Readonly<Record<string, ModelFamily>> = {
  // https://platform.openai.com/docs/guides/images-vision#calculating-costs: tiles of a 2048 x 768 box, or patches.
  openai: {
    ...plainText,
    imageTokens: [
      [/^(chat)?gpt-4o-mini/, 48_169],
      [/^(gpt-4o|chatgpt-4o|gpt-4-turbo|gpt-4\.1|gpt-5(-|$)|gpt-5\.[123]|o[134])/, 3_779],
    ],
  },
  // https://platform.claude.com/docs/en/build-with-claude/vision; tool prompts are documented as 159 to 530 tokens.
  anthropic: { hiddenTextTokens: 64, hiddenTextTokensWithTools: 700, imageTokens: [[/./, 4_800]] },
  // https://ai.google.dev/gemini-api/docs/media-resolution
  google: { ...plainText, imageTokens: [[/^gemini/, 2_240]] },
  mistral: { ...plainText, imageTokens: [] },
  "meta-llama": { ...unknownText, imageTokens: [[/./, 6_404]] },
};
const unknownFamily: ModelFamily = { ...unknownText, imageTokens: [] };
const makers: Readonly<Record<string, string>> = { mistralai: "mistral", gemini: "google" };
const marginOverDocumented = 1.5;

/** Hidden text that a provider may add to a request. */
export function hiddenTextTokens(provider: string, modelId: string, hasTools: boolean): number {
  const { family } = familyOf(provider, modelId);
  return hasTools ? family.hiddenTextTokensWithTools : family.hiddenTextTokens;
}

/** The most tokens that one image can count as, or undefined when that is not known of the model. */
export function imageTokenBound(provider: string, modelId: string): number | undefined {
  const { family, model } = familyOf(provider, modelId);
  const tokens = family.imageTokens.find(([pattern]) => pattern.test(model))?.[1];
  return tokens === undefined ? undefined : Math.ceil(tokens * marginOverDocumented);
}

/** A router's ids tell who made the model: `openai/gpt-4o`. */
function familyOf(provider: string, modelId: string): { family: ModelFamily; model: string } {
  const [maker = "", ...rest] = provider === "openrouter" ? modelId.split("/") : [provider, modelId];
  return { family: families[makers[maker] ?? maker] ?? unknownFamily, model: rest.join("/") };
}
