import type { RowStory } from "../../src/ui/api.ts";
import { runAddress } from "./client.ts";
import { useResource } from "./use-resource.ts";

/** The columns of the input, by its first row; none while it loads. */
export function useColumns(run: string): string[] {
  const { data } = useResource<RowStory>(runAddress(run, "/rows/0"));
  return Object.keys(data?.input ?? {});
}
