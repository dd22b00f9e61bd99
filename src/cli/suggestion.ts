const tolerated = 2;

/** "Did you mean …?" where one of the known names is near. */
export function suggestion(typed: string, known: readonly string[]): string | null {
  const [nearest] = known
    .map((name) => ({ name, distance: name.startsWith(typed) ? 0 : distance(typed, name) }))
    .filter((candidate) => candidate.distance <= tolerated)
    .sort((a, b) => a.distance - b.distance);
  return nearest === undefined ? null : `Did you mean '${nearest.name}'?`;
}

/** Levenshtein's. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (const [line, letter] of [...a].entries()) {
    const next = [line + 1];
    for (const [column, other] of [...b].entries()) {
      const replaced = (row[column] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(replaced, (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
