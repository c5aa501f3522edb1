const picoDigits = 12;

/** All twelve decimals in groups of three, so that equal amounts are seen to be equal: `$0.004 933 950 000`. */
export function exactUsd(picoUsd: bigint): string {
  const digits = picoUsd.toString().padStart(picoDigits + 1, "0");
  const whole = digits.slice(0, -picoDigits);
  const groups = digits.slice(-picoDigits).match(/\d{3}/g) ?? [];
  return `$${whole}.${groups.join(" ")}`;
}
