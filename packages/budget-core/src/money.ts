import { InvalidAmountError } from "./errors/invalid-amount-error.ts";

/** Decimal places of the unit we count in: 1 pico-USD = 1e-12 USD. */
const decimals = 12;
const picoPerUsd = 10n ** BigInt(decimals);
/** Longest decimal text and widest exponent accepted: far past any real price, short enough to stay cheap. */
const maxTextLength = 64;

/**
 * An exact, non-negative amount of US dollars. As JSON it is a decimal string.
 *
 * Made by {@link usd}; there is no arithmetic on it, because ledgers count in `picoUsd`.
 */
export class Money {
  /** The amount in pico-USD (1e-12 USD). */
  readonly picoUsd: bigint;

  constructor(picoUsd: bigint) {
    if (typeof picoUsd !== "bigint" || picoUsd < 0n) throw new InvalidAmountError({ what: "Money", given: picoUsd });
    this.picoUsd = picoUsd;
    Object.freeze(this);
  }

  /** The exact amount as a decimal, without sign and without trailing zeros: `"0.1"`. */
  toString(): string {
    return picoToDecimal(this.picoUsd);
  }

  toJSON(): string {
    return this.toString();
  }
}

/** Anything that stands for an amount of US dollars: `0.1`, `"0.1"`, `usd("0.1")`. */
export type Usd = number | string | Money;

/**
 * Reads an amount of US dollars exactly. Numbers count as their shortest decimal text, so `usd(0.1)` is a tenth.
 * More than 12 decimals are rounded up, once.
 *
 * @throws InvalidAmountError for NaN, infinite, negative or unreadable amounts.
 */
export function usd(amount: Usd): Money {
  if (amount instanceof Money) return amount;
  if (typeof amount === "object" && amount !== null && typeof (amount as Money).picoUsd === "bigint") {
    return new Money((amount as Money).picoUsd);
  }
  return new Money(parsePicoUsd(amount));
}

/** The amount of so many pico-USD. */
usd.pico = (picoUsd: bigint): Money => new Money(picoUsd);

/**
 * Decimal text or number of USD -> pico-USD, rounded up.
 *
 * @param what names the value in the error, such as `"budget"`.
 */
export function parsePicoUsd(amount: unknown, what = "An amount of USD"): bigint {
  const text = typeof amount === "number" ? String(amount) : typeof amount === "string" ? amount.trim() : "";
  const match = text.length <= maxTextLength ? /^\+?(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?$/.exec(text) : null;
  const whole = match?.[1] ?? "";
  const fraction = match?.[2] ?? "";
  if (!match || whole.length + fraction.length === 0) {
    throw new InvalidAmountError({ what, given: amount, hint: 'write a plain decimal such as "0.25"' });
  }
  const digits = BigInt(whole + fraction);
  const shift = decimals - fraction.length + Number(match[3] ?? 0);
  return shift >= 0 ? digits * 10n ** BigInt(shift) : ceilDiv(digits, 10n ** BigInt(-shift));
}

/** Quotient of non-negative integers, rounded up. */
export function ceilDiv(dividend: bigint, divisor: bigint): bigint {
  return (dividend + divisor - 1n) / divisor;
}

/** pico-USD -> exact decimal text in USD; negative amounts (adjustments) keep their sign. */
export function picoToDecimal(picoUsd: bigint): string {
  const magnitude = picoUsd < 0n ? -picoUsd : picoUsd;
  const fraction = (magnitude % picoPerUsd).toString().padStart(decimals, "0").replace(/0+$/, "");
  return `${picoUsd < 0n ? "-" : ""}${magnitude / picoPerUsd}${fraction ? `.${fraction}` : ""}`;
}

/** pico-USD -> the nearest double in USD. For display and for the numbers of `getStats()`; never for arithmetic. */
export function toNumber(picoUsd: bigint): number {
  return Number(picoToDecimal(picoUsd));
}

/**
 * Text for people: `$1.2346`. Four decimals, and below a cent as many as show four significant digits, so that no
 * amount above zero reads as zero.
 */
export function formatUsd(amount: Usd, options: { digits?: number } = {}): string {
  const { picoUsd } = usd(amount);
  const widened = picoUsd > 0n && picoUsd < picoPerUsd / 100n;
  const digits = Math.min(options.digits ?? (widened ? decimals - picoUsd.toString().length + 4 : 4), decimals);
  const unit = 10n ** BigInt(decimals - digits);
  const rounded = ((picoUsd + unit / 2n) / unit) * unit;
  const [whole = "0", fraction = ""] = picoToDecimal(rounded).split(".");
  const least = options.digits ?? 4;
  return `$${whole}${digits > 0 ? `.${fraction.padEnd(least, "0")}` : ""}`;
}
