/** One US dollar in pico-USD (10^-12 USD), the unit of every amount in this package. */
const PICO_DIGITS = 12;

const DECIMAL = /^(\d+)(?:\.(\d+))?(?:e([+-]?\d{1,3}))?$/i;

/**
 * Reads a decimal text such as `"0.075"` or `"2e-7"` as pico-USD.
 *
 * @param onRemainder What to do with digits below one pico-USD: refuse them (default) or drop them.
 * @throws RangeError When the text is no plain non-negative decimal, or has a remainder that may not be dropped.
 */
export function parsePicoUsd(text: string, onRemainder: "refuse" | "drop" = "refuse"): bigint {
  const match = DECIMAL.exec(text.trim());
  if (!match) throw new RangeError(`"${text}" is not a non-negative decimal amount of USD`);
  const fraction = match[2] ?? "";
  const digits = BigInt(`${match[1]}${fraction}`);
  const shift = PICO_DIGITS - fraction.length + Number(match[3] ?? 0);
  if (shift >= 0) return digits * 10n ** BigInt(shift);
  const divisor = 10n ** BigInt(-shift);
  if (onRemainder === "refuse" && digits % divisor !== 0n) {
    throw new RangeError(`"${text}" has digits below one pico-USD`);
  }
  return digits / divisor;
}

/** Writes `units` of 10^-`decimals` as a plain decimal: no exponent, no trailing zeros. */
export function decimalText(units: bigint, decimals: number = PICO_DIGITS): string {
  const sign = units < 0n ? "-" : "";
  const digits = (units < 0n ? -units : units).toString().padStart(decimals + 1, "0");
  const fraction = digits.slice(digits.length - decimals).replace(/0+$/, "");
  const whole = digits.slice(0, digits.length - decimals);
  return fraction === "" ? `${sign}${whole}` : `${sign}${whole}.${fraction}`;
}
