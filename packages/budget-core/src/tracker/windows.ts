/** How often a budget starts anew. */
export type WindowLength = "hour" | "day" | "week" | "month";

/** One stretch of time in which a budget counts. */
interface BudgetWindow {
  /** Such as `2026-11-23`; the same on every process at the same instant. `"all"` for a budget that never starts anew. */
  id: string;
  /** First instant of the next window, in ms; infinite for `"all"`. */
  endsAtMs: number;
}

/** A pure function of the instant: no job has to reset anything. */
export type WindowClock = (instantMs: number) => BudgetWindow;

const hourMs = 3_600_000;
/** Longer than any window of the kind can be, clock changes included. */
const longestMs: Record<WindowLength, number> = {
  hour: 3 * hourMs,
  day: 50 * hourMs,
  week: 9 * 24 * hourMs,
  month: 33 * 24 * hourMs,
};

/** The clock of a budget that never starts anew. */
export const noWindows: WindowClock = () => forEver;

const forEver = { id: "all", endsAtMs: Number.POSITIVE_INFINITY };

/**
 * Windows by the wall clock of a time zone: hours, days from midnight, weeks from Monday, months from the 1st. An hour
 * that a clock change repeats is two windows; a day with one is 23 or 25 hours long.
 *
 * @throws RangeError for an unknown time zone.
 */
export function windowClock(per: WindowLength, timeZone = "UTC"): WindowClock {
  const idAt = idFunction(per, timeZone);
  let last: (BudgetWindow & { fromMs: number }) | undefined;
  return (instantMs) => {
    if (last && last.fromMs <= instantMs && instantMs < last.endsAtMs) return last;
    const id = idAt(instantMs);
    last = { id, fromMs: instantMs, endsAtMs: endOf(id, idAt, instantMs, instantMs + longestMs[per]) };
    return last;
  };
}

/** The first instant with another id: exact to the millisecond, whatever the zone does in between. */
function endOf(id: string, idAt: (instantMs: number) => string, inside: number, outside: number): number {
  let [low, high] = [inside, outside];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (idAt(middle) === id) low = middle;
    else high = middle;
  }
  return high;
}

type PartName = "year" | "month" | "day" | "hour" | "timeZoneName";

function idFunction(per: WindowLength, timeZone: string): (instantMs: number) => string {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone,
    calendar: "gregory",
    numberingSystem: "latn",
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    ...(per === "hour" ? { timeZoneName: "longOffset" } : {}),
  });
  return (instantMs) => {
    const parts = Object.fromEntries(format.formatToParts(instantMs).map(({ type, value }) => [type, value]));
    const { year, month, day, hour, timeZoneName } = parts as Record<PartName, string>;
    if (per === "month") return `${year}-${month}`;
    if (per === "week") return isoWeek(Number(year), Number(month), Number(day));
    if (per === "day") return `${year}-${month}-${day}`;
    // Some engines write no offset as plain "GMT".
    return `${year}-${month}-${day}T${hour}${timeZoneName.replace("GMT", "").padEnd(6, "+00:00")}`;
  };
}

/** ISO 8601 week of a calendar day: weeks begin on Monday, week 1 has the year's first Thursday. */
function isoWeek(year: number, month: number, day: number): string {
  const dayMs = 24 * hourMs;
  const date = Date.UTC(year, month - 1, day);
  const weekday = (new Date(date).getUTCDay() + 6) % 7;
  const thursday = new Date(date + (3 - weekday) * dayMs);
  const week = 1 + Math.floor((thursday.getTime() - Date.UTC(thursday.getUTCFullYear(), 0, 1)) / (7 * dayMs));
  return `${thursday.getUTCFullYear()}-W${String(week).padStart(2, "0")}`;
}
