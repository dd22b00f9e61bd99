/** What is to stand in place of a stretch of a text. */
export interface Edit {
  start: number;
  end: number;
  text: string;
}

/** In order; of those that overlap one that covers them all, with the text of the first. */
export function merged(edits: readonly Edit[]): Edit[] {
  const kept: Edit[] = [];
  for (const edit of edits.toSorted((a, b) => a.start - b.start || b.end - a.end)) {
    const last = kept.at(-1);
    if (last === undefined || edit.start >= last.end) kept.push({ ...edit });
    else last.end = Math.max(last.end, edit.end);
  }
  return kept;
}

export const edited = (text: string, edits: readonly Edit[]): string => editedParts([text], edits)[0] ?? '';

/** The parts of a text, edited as a whole: what replaces a stretch stands in the part where the stretch begins. */
export function editedParts(parts: readonly string[], edits: readonly Edit[]): string[] {
  const whole = merged(edits);
  let next = 0;
  let offset = 0;
  /** Up to where all is dealt with. */
  let done = 0;
  return parts.map((part) => {
    const end = offset + part.length;
    let said = '';
    for (let edit = whole[next]; edit !== undefined && edit.start < end; edit = whole[++next]) {
      said += part.slice(Math.max(0, done - offset), edit.start - offset) + edit.text;
      done = edit.end;
    }
    said += part.slice(Math.max(0, done - offset));
    offset = end;
    return said;
  });
}
