import { asArray, asObject, asText, isJsonObject, type JsonObject } from "./json.ts";

/** Makes the choices that a JSON schema leaves open. */
export interface SchemaChoices {
  /** One of the values of an `enum`; `position` is its place in the answer. */
  pick(values: readonly unknown[], position: string): unknown;
  /** A text of no particular form. */
  text(position: string): string;
  /** A number in [0, 1). */
  fraction(position: string): number;
}

/** How deep optional members and references are followed. */
const MAX_DEPTH = 8;

/** The first list of string values of an `enum` anywhere in the schema: the labels of a labeling request. */
export function findLabels(schema: unknown): readonly string[] | undefined {
  if (Array.isArray(schema)) return firstOf(schema);
  if (!isJsonObject(schema)) return undefined;
  const values = asArray(schema.enum);
  if (values.length > 0 && values.every((value) => typeof value === "string")) return values;
  return firstOf(Object.values(schema));
}

function firstOf(values: readonly unknown[]): readonly string[] | undefined {
  for (const value of values) {
    const labels = findLabels(value);
    if (labels) return labels;
  }
  return undefined;
}

/** A small value that is valid for the schema. */
export function answerSchema(root: JsonObject, choices: SchemaChoices): unknown {
  return value(root, "", 0);

  function value(given: unknown, position: string, depth: number): unknown {
    const schema = resolve(root, asObject(given));
    if ("const" in schema) return schema.const;
    const values = asArray(schema.enum);
    if (values.length > 0) return choices.pick(values, position);
    const branches = [...asArray(schema.anyOf), ...asArray(schema.oneOf)];
    if (branches.length > 0) return value(branches[0], position, depth + 1);
    switch (typeOf(schema)) {
      case "object":
        return object(schema, position, depth);
      case "array":
        return array(schema, position, depth);
      case "string":
        return string(schema, choices.text(position));
      case "integer":
      case "number":
        return number(schema, choices.fraction(position));
      case "boolean":
        return choices.fraction(position) < 0.5;
      default:
        return null;
    }
  }

  function object(schema: JsonObject, position: string, depth: number): JsonObject {
    const required = new Set(asArray(schema.required));
    const members = Object.entries(asObject(schema.properties));
    const wanted = members.filter(([name]) => required.has(name) || depth < MAX_DEPTH);
    return Object.fromEntries(
      wanted.map(([name, member]) => [
        name,
        depth > MAX_DEPTH * 4 ? null : value(member, `${position}.${name}`, depth + 1),
      ]),
    );
  }

  function array(schema: JsonObject, position: string, depth: number): readonly unknown[] {
    const least = typeof schema.minItems === "number" ? schema.minItems : undefined;
    const length = least ?? (depth < MAX_DEPTH && schema.maxItems !== 0 ? 1 : 0);
    return Array.from({ length }, (_, index) => value(schema.items, `${position}[${index}]`, depth + 1));
  }
}

function resolve(root: JsonObject, schema: JsonObject): JsonObject {
  let current = schema;
  for (let hops = 0; hops < MAX_DEPTH; hops += 1) {
    const reference = asText(current.$ref);
    if (reference === undefined) break;
    const path = reference.split("/").slice(1);
    current = asObject(path.reduce<unknown>((node, name) => asObject(node)[name], root));
  }
  return Object.assign({}, current, ...asArray(current.allOf).map(asObject)) as JsonObject;
}

function typeOf(schema: JsonObject): string {
  const type = schema.type;
  if (typeof type === "string") return type;
  const named = asArray(type).find((name) => name !== "null");
  if (typeof named === "string") return named;
  if ("properties" in schema) return "object";
  return "items" in schema ? "array" : "string";
}

function string(schema: JsonObject, text: string): string {
  switch (schema.format) {
    case "date-time":
      return "2026-01-01T00:00:00Z";
    case "date":
      return "2026-01-01";
    case "email":
      return "someone@example.com";
    case "uri":
      return "https://example.com/";
    case "uuid":
      return "00000000-0000-4000-8000-000000000000";
    default: {
      const least = typeof schema.minLength === "number" ? schema.minLength : 0;
      const most = typeof schema.maxLength === "number" ? schema.maxLength : text.length;
      return text.padEnd(least, "x").slice(0, Math.max(most, least));
    }
  }
}

function number(schema: JsonObject, fraction: number): number {
  const bound = (name: string) => (typeof schema[name] === "number" ? schema[name] : undefined);
  const low = bound("minimum") ?? bound("exclusiveMinimum") ?? Math.min(0, bound("maximum") ?? 0);
  const high = bound("maximum") ?? bound("exclusiveMaximum") ?? Math.max(low + 1, 1);
  if (typeOf(schema) === "integer") {
    const first = "exclusiveMinimum" in schema ? Math.floor(low) + 1 : Math.ceil(low);
    return first + Math.floor(fraction * Math.max(0, Math.floor(high) - first));
  }
  // Two digits of the middle: inside exclusive bounds too, and short as a model would write it.
  const middle = low + (high - low) * (0.25 + fraction / 2);
  const rounded = Math.round(middle * 100) / 100;
  return rounded > low && rounded < high ? rounded : middle;
}
