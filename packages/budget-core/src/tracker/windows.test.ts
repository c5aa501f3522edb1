import { describe, expect, it } from "vitest";
import { noWindows, type WindowLength, windowClock } from "./windows.ts";

const at = (iso: string) => Date.parse(iso);

describe("windowClock", () => {
  const cases: [WindowLength, string, string, string, string][] = [
    ["hour", "UTC", "2026-11-23T14:59:59.999Z", "2026-11-23T14+00:00", "2026-11-23T15:00:00.000Z"],
    ["day", "UTC", "2026-11-23T00:00:00Z", "2026-11-23", "2026-11-24T00:00:00.000Z"],
    ["day", "Europe/Berlin", "2026-11-23T23:30:00Z", "2026-11-24", "2026-11-24T23:00:00.000Z"],
    ["week", "UTC", "2026-11-22T23:59:59Z", "2026-W47", "2026-11-23T00:00:00.000Z"],
    ["week", "UTC", "2027-01-03T12:00:00Z", "2026-W53", "2027-01-04T00:00:00.000Z"],
    ["month", "Asia/Tokyo", "2026-11-30T15:00:00Z", "2026-12", "2026-12-31T15:00:00.000Z"],
    // Clocks go forward in Berlin on 2026-03-29, back on 2026-10-25: days of 23 and of 25 hours.
    ["day", "Europe/Berlin", "2026-03-28T23:00:00Z", "2026-03-29", "2026-03-29T22:00:00.000Z"],
    ["day", "Europe/Berlin", "2026-10-24T22:00:00Z", "2026-10-25", "2026-10-25T23:00:00.000Z"],
    // The hour from 1 to 2 comes twice in New York on 2026-11-01.
    ["hour", "America/New_York", "2026-11-01T05:30:00Z", "2026-11-01T01-04:00", "2026-11-01T06:00:00.000Z"],
    ["hour", "America/New_York", "2026-11-01T06:30:00Z", "2026-11-01T01-05:00", "2026-11-01T07:00:00.000Z"],
    // Samoa left out 2011-12-30.
    ["day", "Pacific/Apia", "2011-12-30T09:59:59Z", "2011-12-29", "2011-12-30T10:00:00.000Z"],
    ["day", "Pacific/Apia", "2011-12-30T10:00:00Z", "2011-12-31", "2011-12-31T10:00:00.000Z"],
  ];
  it.each(cases)("a %s in %s at %s is %s and ends at %s", (per, zone, instant, id, end) => {
    const window = windowClock(per, zone)(at(instant));
    expect(window.id).toBe(id);
    expect(new Date(window.endsAtMs).toISOString()).toBe(end);
  });

  it("agrees with a fresh clock at every instant, whatever it was asked before", () => {
    for (const zone of [
      "America/Sao_Paulo",
      "Australia/Lord_Howe",
      "Asia/Kathmandu",
      "Africa/Casablanca",
      "Pacific/Chatham",
    ]) {
      for (const per of ["hour", "day", "week", "month"] as const) {
        const used = windowClock(per, zone);
        for (let step = 0; step < 60; step++) {
          const instant = at("2026-03-01T00:00:00Z") + ((step * 7919) % 9000) * 3_600_000;
          const fresh = windowClock(per, zone)(instant);
          expect(used(instant)).toMatchObject({ id: fresh.id, endsAtMs: fresh.endsAtMs });
          expect(used(fresh.endsAtMs - 1).id).toBe(fresh.id);
          expect(used(fresh.endsAtMs).id).not.toBe(fresh.id);
        }
      }
    }
  });

  it("refuses an unknown zone; a budget without windows has one for ever", () => {
    expect(() => windowClock("day", "Mars/Olympus")).toThrow(RangeError);
    expect(noWindows(0)).toEqual({ id: "all", endsAtMs: Number.POSITIVE_INFINITY });
  });
});
