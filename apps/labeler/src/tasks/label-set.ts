/** The labels of a task: their names, and what they mean where that was said. */
export interface LabelSet {
  readonly names: readonly string[];
  /** Lines for the instructions. */
  readonly lines: readonly string[];
  /** The label that a word means; undefined when it is none of the set. */
  find(said: unknown): string | undefined;
}

/** A label set out of names, or of names with descriptions. */
export function labelSet(labels: Labels): LabelSet {
  const described = Array.isArray(labels) ? labels.map((name: string) => [name, ""] as const) : Object.entries(labels);
  const names = described.map(([name]) => name);
  const exact = new Set(names);
  const byForm = new Map<string, string | undefined>();
  // A form that two labels share says neither of them.
  for (const name of names) byForm.set(plain(name), byForm.has(plain(name)) ? undefined : name);
  return {
    names,
    lines: described.map(([name, meaning]) => (meaning === "" ? `- ${name}` : `- ${name}: ${meaning}`)),
    find: (said) => {
      // A label such as 1 comes as a number.
      const word = typeof said === "number" || typeof said === "boolean" ? String(said) : said;
      if (typeof word !== "string") return undefined;
      return exact.has(word) ? word : byForm.get(plain(word));
    },
  };
}

/** Names of labels, or names with what they mean. */
export type Labels = readonly string[] | Readonly<Record<string, string>>;

/** Case, quotes, spaces and underscores do not make another label. */
function plain(label: string): string {
  return label
    .normalize("NFKC")
    .toLowerCase()
    .replace(/["'`.]/g, "")
    .replace(/[\s_-]+/g, " ")
    .trim();
}
