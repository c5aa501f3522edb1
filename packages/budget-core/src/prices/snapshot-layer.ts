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
}

/**
 * A layer that reads its text at the first lookup, and each model's line when that model is asked for: whoever states
 * own prices never pays for the table.
 */
export function snapshotLayer({ hash, text }: Snapshot): PriceLayer {
  let lines: Map<string, Line> | undefined;
  const compiled = new Map<string, CompiledEntry>();
  const lineOf = (provider: string, modelId: string) => {
    lines ??= indexLines(text);
    return lines.get(`${provider} ${modelId}`);
  };
  return {
    kind: "snapshot",
    hash,
    find(provider, modelId) {
      const line = lineOf(provider, modelId);
      if (!line || isDispute(line)) return undefined;
      const known = compiled.get(line.text);
      if (known?.provider === provider) return known;
      const entry = compileEntry(readEntry(line.text, line.header));
      compiled.set(line.text, entry);
      return entry;
    },
    ids(provider) {
      lines ??= indexLines(text);
      const prefix = `${provider} `;
      return [...lines]
        .filter(([key, line]) => key.startsWith(prefix) && !isDispute(line))
        .map(([key]) => key.slice(prefix.length));
    },
    disputed(provider, modelId) {
      const line = lineOf(provider, modelId);
      return line && isDispute(line) ? line.text.slice(line.text.indexOf(" ") + 1) : undefined;
    },
  };
}

function isDispute({ text }: Line): boolean {
  return text.startsWith("?");
}

function indexLines(text: string): Map<string, Line> {
  const lines = new Map<string, Line>();
  let header: SnapshotHeader | undefined;
  for (const line of text.split("\n")) {
    if (line.startsWith("@")) header = readHeader(line);
    else if (header && line !== "") {
      const names = line.startsWith("?")
        ? [line.slice(1).split(" ", 1)[0]]
        : line.slice(0, line.indexOf("|")).split(" ");
      for (const name of names) lines.set(`${header.provider} ${name}`, { text: line, header });
    }
  }
  return lines;
}
