/** A mention and where it stands: `text.slice(start, end)`, in UTF-16 units. */
export interface Span {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  readonly label: string;
  readonly [field: string]: string | number;
}

/**
 * Finds mentions in a text, in the order in which they were listed. The same words again are their next mention; words
 * that stand no further time are a mention of the same place, which is kept once per label.
 *
 * Case and the width of blanks may differ from the text; what is given back is the text's own spelling.
 */
export function findMentions(
  text: string,
  mentions: readonly { text: string; label: string }[],
): { found: Span[] } | { missing: string } {
  const nextFrom = new Map<string, number>();
  const found = new Map<string, Span>();
  for (const { text: words, label } of mentions) {
    const place = locate(text, words, nextFrom.get(words) ?? 0) ?? locate(text, words, 0);
    if (!place) return { missing: words };
    const [start, end] = place;
    nextFrom.set(words, end);
    found.set(`${start} ${end} ${label}`, { start, end, text: text.slice(start, end), label });
  }
  return { found: [...found.values()].sort((a, b) => a.start - b.start || a.end - b.end) };
}

function locate(text: string, words: string, from: number): [start: number, end: number] | undefined {
  const exact = text.indexOf(words, from);
  if (exact >= 0) return [exact, exact + words.length];
  const pattern = words.trim().split(/\s+/).map(escapePattern).join("\\s+");
  if (pattern === "") return undefined;
  const match = new RegExp(pattern, "iu").exec(text.slice(from));
  return match ? [from + match.index, from + match.index + match[0].length] : undefined;
}

function escapePattern(words: string): string {
  return words.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}
