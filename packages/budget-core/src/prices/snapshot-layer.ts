import { type CompiledEntry, compileEntry, type PriceLayer } from "./price-layer.ts";
import { readEntry, readHeader, type SnapshotHeader } from "./snapshot-format.ts";

/** A snapshot: its text, and the hash that was computed when it was generated. */
export interface Snapshot {
  hash: string;
  text: string;
}

interface Line {
  text: string;
  header: SnapshotHeader;
  /** Why the id of the line is left out. */
  dispute?: string;
  /** Read when it is first asked for, and then shared by all ids of the line. */
  entry?: CompiledEntry;
}

/**
 * A layer that reads a provider's lines when a model of that provider is first asked for, and a model's line when that
 * model is: whoever states
 * own prices never pays for the table.
 */
export function snapshotLayer({ hash, text }: Snapshot): PriceLayer {
  const providers = new Map<string, Map<string, Line>>();
  const linesOf = (provider: string) => {
    const known = providers.get(provider);
    if (known) return known;
    const lines = indexLines(sectionOf(text, provider));
    providers.set(provider, lines);
    return lines;
  };
  return {
    kind: "snapshot",
    hash,
    find(provider, modelId) {
      const line = linesOf(provider).get(modelId);
      if (!line || line.dispute !== undefined) return undefined;
      line.entry ??= compileEntry(readEntry(line.text, line.header));
      return line.entry;
    },
    ids: (provider) => [...linesOf(provider)].filter(([, { dispute }]) => dispute === undefined).map(([id]) => id),
    disputed: (provider, modelId) => linesOf(provider).get(modelId)?.dispute,
  };
}

/** The lines of one provider, the first of which is its header; empty for a provider that is not listed. */
function sectionOf(text: string, provider: string): string {
  const start = text.indexOf(`\n@${provider} `);
  if (start < 0) return "";
  const end = text.indexOf("\n@", start + 1);
  return text.slice(start + 1, end < 0 ? undefined : end);
}

function indexLines(section: string): Map<string, Line> {
  const lines = new Map<string, Line>();
  const [first = "", ...models] = section.split("\n");
  const header = readHeader(first);
  for (const text of models) {
    if (text.startsWith("?")) {
      const end = text.indexOf(" ");
      lines.set(text.slice(1, end), { text, header, dispute: text.slice(end + 1) });
    } else if (text !== "") {
      const shared = { text, header };
      for (const id of text.slice(0, text.indexOf("|")).split(" ")) lines.set(id, shared);
    }
  }
  return lines;
}
