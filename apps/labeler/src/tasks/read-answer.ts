/** The JSON of an answer, `{ result, … }`; the bare text where a model left the JSON out. */
export function readAnswer(answer: string): { result: unknown; confidence?: unknown; explanation?: unknown } {
  const text = answer.trim().replace(/^```(?:json)?\s*|\s*```$/g, "");
  const value = parse(text) ?? parse(text.slice(text.indexOf("{"), text.lastIndexOf("}") + 1)) ?? text;
  const isWrapped = typeof value === "object" && value !== null && "result" in value;
  return isWrapped ? (value as { result: unknown }) : { result: value };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
