import { hash } from "node:crypto";

/** A number in [0, 1) that depends on nothing but the parts. */
export function seededFraction(...parts: readonly (string | number)[]): number {
  return Number.parseInt(hash("sha256", JSON.stringify(parts)).slice(0, 12), 16) / 2 ** 48;
}

/** An index in [0, length) that depends on nothing but the parts. */
export function seededIndex(length: number, ...parts: readonly (string | number)[]): number {
  return Math.floor(seededFraction(...parts) * length);
}

/** A latency in milliseconds: a constant, or a seeded draw from the log-normal with this median and 99th percentile. */
export function seededLatencyMs(
  latency: number | { median: number; p99: number },
  seed: string,
  index: number,
): number {
  if (typeof latency === "number") return latency;
  const { median, p99 } = latency;
  if (median <= 0 || p99 <= median) return median;
  const sigma = Math.log(p99 / median) / 2.3263;
  const radius = Math.sqrt(-2 * Math.log(1 - seededFraction(seed, "latency-radius", index)));
  const normal = radius * Math.cos(2 * Math.PI * seededFraction(seed, "latency-angle", index));
  return median * Math.exp(sigma * normal);
}
