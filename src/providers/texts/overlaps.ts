/** What is looked for at most, where a text's beginning occurs more often than once. */
const mostTries = 16;
/** Shorter ones are not worth it. */
const leastOverlap = 32;

/** With how many units each text repeats the end of the one before it; chunks of a file mostly do. */
export function overlapsOf(texts: readonly string[]): Uint32Array<ArrayBuffer> {
  const overlaps = new Uint32Array(texts.length);
  for (let at = 1; at < texts.length; at++) {
    overlaps[at] = overlapOf(texts[at - 1] ?? '', texts[at] ?? '');
  }
  return overlaps;
}

function overlapOf(before: string, text: string): number {
  const beginning = text.slice(0, leastOverlap);
  if (beginning.length < leastOverlap) return 0;
  let from = before.indexOf(beginning);
  for (let tries = 0; from >= 0 && tries < mostTries; tries++) {
    if (before.length - from <= text.length && text.startsWith(before.slice(from)))
      return before.length - from;
    from = before.indexOf(beginning, from + 1);
  }
  return 0;
}

/** Of parts that follow each other and what each repeats of the whole text before it: the whole texts. */
export function wholeTexts(parts: readonly string[], overlaps: ArrayLike<number>): string[] {
  let before = '';
  return parts.map((part, at) => {
    before = (overlaps[at] ?? 0) === 0 ? part : before.slice(-(overlaps[at] ?? 0)) + part;
    return before;
  });
}
