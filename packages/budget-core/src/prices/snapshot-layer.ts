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
 * A layer that reads its text at the first lookup, and each model's line when that model is asked for: whoever states
 * own prices never pays for the table.
 */
export function snapshotLayer({ hash, text }: Snapshot): PriceLayer {
  let providers: Map<string, Map<string, Line>> | undefined;
  const linesOf = (provider: string) => {
    providers ??= indexLines(text);
    return providers.get(provider);
  };
  return {
    kind: "snapshot",
    hash,
    find(provider, modelId) {
      const line = linesOf(provider)?.get(modelId);
      if (!line || line.dispute !== undefined) return undefined;
      line.entry ??= compileEntry(readEntry(line.text, line.header));
      return line.entry;
    },
    ids(provider) {
      const lines = linesOf(provider) ?? new Map<string, Line>();
      return [...lines].filter(([, { dispute }]) => dispute === undefined).map(([id]) => id);
    },
    disputed: (provider, modelId) => linesOf(provider)?.get(modelId)?.dispute,
  };
}

function indexLines(text: string): Map<string, Map<string, Line>> {
  const providers = new Map<string, Map<string, Line>>();
  let lines = new Map<string, Line>();
  let header = readHeader("@");
  for (const line of text.split("\n")) {
    if (line.startsWith("@")) {
      header = readHeader(line);
      lines = new Map();
      providers.set(header.provider, lines);
    } else if (line.startsWith("?")) {
      const end = line.indexOf(" ");
      lines.set(line.slice(1, end), { text: line, header, dispute: line.slice(end + 1) });
    } else if (line !== "") {
      const shared = { text: line, header };
      for (const id of line.slice(0, line.indexOf("|")).split(" ")) lines.set(id, shared);
    }
  }
  return providers;
}
