/** How much more a word in the last paragraph counts than one anywhere in the message. */
const LAST_PARAGRAPH_WEIGHT = 4;

/**
 * Scores labels by the words they share with a text; rare words of the label set weigh more. The last paragraph (or line)
 * weighs most, because that is where a labeling prompt puts the row. Scores are only good for comparing.
 */
export function scoreLabels(labels: readonly string[], text: string): number[] {
  const everywhere = new Set(stems(text));
  const atTheEnd = new Set(stems(lastParagraph(text)));
  const labelStems = labels.map((label) => [...new Set(stems(label))]);
  const labelsWith = new Map<string, number>();
  for (const stem of labelStems.flat()) labelsWith.set(stem, (labelsWith.get(stem) ?? 0) + 1);
  const weight = (stem: string) => Math.log(1 + labels.length / (labelsWith.get(stem) ?? 1));
  return labelStems.map((own) => {
    const total = own.reduce((sum, stem) => sum + weight(stem), 0);
    const shared = (words: Set<string>) => own.reduce((sum, stem) => sum + (words.has(stem) ? weight(stem) : 0), 0);
    return total === 0 ? 0 : (LAST_PARAGRAPH_WEIGHT * shared(atTheEnd) + shared(everywhere)) / Math.sqrt(total);
  });
}

/** Lower-case words with loose endings removed; `cardArrival` and `card_arrival` are the words card and arrival. */
function stems(text: string): string[] {
  const spaced = text.replace(/(\p{Ll})(\p{Lu})/gu, "$1 $2").toLowerCase();
  return [...spaced.matchAll(/[\p{L}\p{N}]+/gu)].map(([word]) => stem(word));
}

function stem(word: string): string {
  const short = word.replace(/(?:ation|ing|ies|ied|al|ed|es|s|e|y)s?$/u, "");
  return short.length >= 3 ? short : word;
}

function lastParagraph(text: string): string {
  const parts = text.trim().split(/\n\s*\n/);
  const pieces = parts.length > 1 ? parts : text.trim().split("\n");
  return pieces.at(-1) ?? text;
}
