import type { JSONSchema7 } from "ai";
import { z } from "zod";
import type { LabelValue } from "../store/row.ts";
import { jsonTokens } from "./json-tokens.ts";
import type { AnswerForm } from "./task.ts";

/** Characters of a short value, with the marks around it and its name. */
const usualValue = 28;

/** Fields of a JSON schema, filled from each text. */
export function extraction(schema: JSONSchema7): AnswerForm {
  const checked = z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]);
  const fields = Object.keys(schema.properties ?? {});
  return {
    instructions: [
      "Extract the fields of this JSON schema from the text of the user's message:",
      JSON.stringify(schema),
    ],
    schema,
    sketch: "{…}",
    maxOutputTokens: 1024,
    usualOutputTokens: jsonTokens(13 + fields.reduce((sum, field) => sum + field.length + usualValue, 0)),
    read: (result) => {
      const parsed = checked.safeParse(result);
      if (parsed.success) return { label: result as LabelValue };
      const [issue] = parsed.error.issues;
      return { problem: `${["result", ...(issue?.path ?? [])].join(".")}: ${issue?.message ?? "not valid"}` };
    },
  };
}
