import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InvalidAmountError } from "./errors/invalid-amount-error.ts";
import { formatUsd, type Money, parsePicoUsd, picoToDecimal, toNumber, usd } from "./money.ts";

describe("usd", () => {
  it.each([
    [0.1, 100_000_000_000n],
    ["0.1", 100_000_000_000n],
    [" 12.50 ", 12_500_000_000_000n],
    ["+3", 3_000_000_000_000n],
    [".5", 500_000_000_000n],
    ["5.", 5_000_000_000_000n],
    [0, 0n],
    [-0, 0n],
    ["1e-7", 100_000n],
    [2.8e-7, 280_000n],
    ["2.5E3", 2_500_000_000_000_000n],
    ["0.000000000001", 1n],
    ["0.0000000000001", 1n],
    ["0.00000008333333333333333", 83_334n],
    ["0.00000100000000000000015", 1_000_001n],
    [1e21, 10n ** 33n],
  ])("reads %s exactly, rounding up past 12 decimals", (given, pico) => {
    expect(usd(given).picoUsd).toBe(pico);
  });

  it.each([
    Number.NaN,
    Number.POSITIVE_INFINITY,
    -1,
    -0.0001,
    "",
    " ",
    ".",
    "-1",
    "abc",
    "1,5",
    "$5",
    "0x10",
    "1e",
    "1e9999",
    "9".repeat(65),
    null,
    undefined,
    true,
    {},
    [],
  ])("refuses %s", (given) => {
    expect(() => usd(given as number)).toThrow(InvalidAmountError);
  });

  it("knows Money of another copy of the package by its picoUsd, and refuses a negative one", () => {
    expect(usd({ picoUsd: 5n } as Money).picoUsd).toBe(5n);
    expect(() => usd({ picoUsd: -5n } as Money)).toThrow(InvalidAmountError);
    expect(usd(usd("2"))).toEqual(usd(2));
  });

  it("gives back the same decimal text, for any amount", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 22n }), (pico) => {
        expect(parsePicoUsd(picoToDecimal(pico))).toBe(pico);
        expect(JSON.parse(JSON.stringify(usd.pico(pico)))).toBe(picoToDecimal(pico));
      }),
    );
  });

  it("shows the nearest double", () => {
    expect(toNumber(280_000_000_000n)).toBe(0.28);
    expect(toNumber(-280_000_000_000n)).toBe(-0.28);
    expect(String(usd("0.30"))).toBe("0.3");
  });
});

describe("formatUsd", () => {
  it.each([
    ["1.23456", "$1.2346"],
    ["1", "$1.0000"],
    ["0", "$0.0000"],
    ["0.01", "$0.0100"],
    ["0.00015", "$0.00015"],
    ["0.000123456789", "$0.0001235"],
    ["0.000000000001", "$0.000000000001"],
    ["1234567.891", "$1234567.8910"],
  ])("shows %s as %s", (given, text) => {
    expect(formatUsd(given)).toBe(text);
  });

  it("takes a fixed number of digits", () => {
    expect(formatUsd("1.005", { digits: 2 })).toBe("$1.01");
    expect(formatUsd("0.004", { digits: 2 })).toBe("$0.00");
    expect(formatUsd("1.5", { digits: 0 })).toBe("$2");
  });
});
