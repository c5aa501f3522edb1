import type { LabelValue } from "../../../src/store/row.ts";
import { labelText } from "../format.ts";
import { Pairs } from "./pairs.tsx";

/** A label; one with fields as a list of them. */
export function Label({ value }: { value: LabelValue }) {
  if (typeof value !== "object" || Array.isArray(value)) return <b dir="auto">{labelText(value)}</b>;
  return (
    <Pairs
      pairs={Object.entries(value).map(([field, said]) => [
        field,
        <b key={field} dir="auto">
          {labelText(said)}
        </b>,
      ])}
    />
  );
}
