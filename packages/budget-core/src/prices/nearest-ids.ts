/** Longer texts are no misspelt ids, and would take long to compare. */
const maxIdLength = 128;

/** Up to three ids within a small edit distance of `id`, nearest first: a hint for people, never a price. */
export function nearestIds(id: string, known: readonly string[]): string[] {
  if (id.length > maxIdLength) return [];
  const limit = Math.max(2, Math.floor(id.length / 3));
  const text = id.toLowerCase();
  return known
    .map((candidate) => ({ candidate, distance: distanceWithin(limit, text, candidate.toLowerCase()) }))
    .filter(({ distance }) => distance <= limit)
    .sort((a, b) => a.distance - b.distance || a.candidate.localeCompare(b.candidate))
    .slice(0, 3)
    .map(({ candidate }) => candidate);
}

/** Edit distance, or infinity once it must pass the limit. An id without its maker is near to the whole one. */
function distanceWithin(limit: number, a: string, b: string): number {
  if (b.endsWith(`/${a}`)) return 0;
  if (Math.abs(a.length - b.length) > limit) return Number.POSITIVE_INFINITY;
  let previous = Uint16Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let row = 1; row <= a.length; row++) {
    const current = new Uint16Array(b.length + 1);
    let least = row;
    current[0] = row;
    for (let column = 1; column <= b.length; column++) {
      const substitution = Number(previous[column - 1]) + (a[row - 1] === b[column - 1] ? 0 : 1);
      const distance = Math.min(substitution, Number(previous[column]) + 1, Number(current[column - 1]) + 1);
      current[column] = distance;
      if (distance < least) least = distance;
    }
    if (least > limit) return Number.POSITIVE_INFINITY;
    previous = current;
  }
  return Number(previous[b.length]);
}
