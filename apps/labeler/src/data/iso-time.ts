/** What a moment is counted in: milli-, micro- or nanoseconds since 1970. */
export type TimeUnit = "ms" | "us" | "ns";

const perMillisecond = { ms: 1n, us: 1_000n, ns: 1_000_000n };
const dayMs = 86_400_000;
/** The last moment that a date can hold, in ms: outside it a count is all there is. */
const lastMs = 8_640_000_000_000_000n;

/** A moment as ISO 8601, with all the digits of its unit that are not zero, at least three. */
export function isoOf(count: bigint, unit: TimeUnit): string {
  const scale = perMillisecond[unit];
  const rest = ((count % scale) + scale) % scale;
  const ms = (count - rest) / scale;
  if (ms > lastMs || ms < -lastMs) return String(count);
  const digits =
    rest === 0n
      ? ""
      : String(rest)
          .padStart(String(scale).length - 1, "0")
          .replace(/0+$/, "");
  return new Date(Number(ms)).toISOString().replace("Z", `${digits}Z`);
}

/** The count behind {@link isoOf}. */
export function countOf(iso: string, unit: TimeUnit): bigint {
  const scale = perMillisecond[unit];
  const [, moment, digits = ""] = /^(.+\.\d{3})(\d*)Z$/.exec(iso) ?? [];
  if (moment === undefined) return BigInt(iso);
  const rest = digits.padEnd(String(scale).length - 1, "0");
  return BigInt(Date.parse(`${moment}Z`)) * scale + BigInt(rest === "" ? 0 : rest);
}

/** A day as `2026-11-24`. */
export function dayOf(daysSince1970: number): string {
  return new Date(daysSince1970 * dayMs).toISOString().split("T")[0] ?? "";
}

/** Days from 1970 to a day that {@link dayOf} wrote. */
export function daysTo(day: string): number {
  return Date.parse(day) / dayMs;
}
