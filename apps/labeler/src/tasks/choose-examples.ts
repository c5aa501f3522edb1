import MiniSearch from "minisearch";
import type { Example } from "./task.ts";

/** Gives the examples that are shown with a text. */
export type ExampleChooser = (text: string) => readonly Example[];

/**
 * The examples whose words are most like the text's (BM25 over words, no model), the best last: next to the text. Texts
 * that share no word with any get the first ones.
 */
export function chooseSimilar(examples: readonly Example[], count: number): ExampleChooser {
  const index = new MiniSearch<{ id: number; text: string }>({ fields: ["text"] });
  index.addAll(examples.map(({ text }, id) => ({ id, text })));
  return (text) => {
    const hits = index.search(text, { combineWith: "OR" }).map(({ id }) => Number(id));
    // A row that is an example itself must not be given its own answer.
    const others = [...new Set([...hits, ...examples.keys()])].filter((id) => examples[id]?.text !== text);
    return others
      .slice(0, count)
      .reverse()
      .flatMap((id) => examples[id] ?? []);
  };
}
