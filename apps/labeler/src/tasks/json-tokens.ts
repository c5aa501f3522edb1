/** JSON is mostly marks: a token holds fewer of its characters than of prose. */
const charactersPerToken = 3;

/** About how many tokens so many characters of JSON are. */
export function jsonTokens(characters: number): number {
  return Math.ceil(characters / charactersPerToken);
}
