/** What two answers of the same meaning share: case, punctuation, articles and the width of blanks are left out. */
export function plainAnswer(text: string): string {
  const words = text
    .normalize("NFKC")
    .toLowerCase()
    .replace(/[\p{P}\p{S}]+/gu, " ")
    .split(/\s+/)
    .filter((word) => word !== "" && word !== "a" && word !== "an" && word !== "the");
  // Signs alone are an answer too, such as "+" or "%".
  return words.length > 0 ? words.join(" ") : text.trim();
}

/** Whether two JSON values say the same: texts but for case and blanks, lists in their order, a missing field as null. */
export function saySame(a: unknown, b: unknown): boolean {
  if (isNothing(a) || isNothing(b)) return isNothing(a) && isNothing(b);
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((item, i) => saySame(item, b[i]));
  if (Array.isArray(a) || Array.isArray(b)) return false;
  if (typeof a === "object" && typeof b === "object") {
    const [left, right] = [a as Record<string, unknown>, b as Record<string, unknown>];
    return [...new Set([...Object.keys(left), ...Object.keys(right)])].every((key) => saySame(left[key], right[key]));
  }
  if (typeof a === "object" || typeof b === "object") return false;
  // A table holds numbers as text.
  if (typeof a === "number" || typeof b === "number")
    return Number(a) === Number(b) && textOf(a).trim() !== "" && textOf(b).trim() !== "";
  return folded(textOf(a)) === folded(textOf(b));
}

/** A text as it is, anything else as JSON. */
export function textOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function isNothing(value: unknown): boolean {
  return value === null || value === undefined;
}

function folded(text: string): string {
  return text.normalize("NFKC").toLowerCase().replace(/\s+/g, " ").trim();
}
