import { frame } from '../../kit/sse-frame.ts';
import { Folding, isFolded, typeAt } from './events.ts';

/** What a reader takes at once of a log that is there. */
export const batchCharacters = 1_048_576;

/**
 * The frames of a log that has ended, from its lines in one text. Most of a long log are runs of deltas of one type;
 * each run is written over as a whole, which costs no string for each line.
 */
export function* textFrames(text: string, after: number): Generator<string> {
  const folding = new Folding();
  let frames = '';
  let number = 0;
  for (let at = 0; at < text.length; ) {
    const type = typeAt(text, at);
    let end = lineEnd(text, at);
    if (isFolded(type)) {
      const data = folding.take(type, text.slice(at, end), number);
      if (number > after) frames += frame(type, data);
      number++;
    } else {
      const sameType = `{"type":"${type}"`;
      let from = at;
      for (;;) {
        if (number <= after) from = end + 1;
        number++;
        if (end - from > batchCharacters || !text.startsWith(sameType, end + 1)) break;
        end = lineEnd(text, end + 1);
      }
      // Line breaks within data are escaped, so that each one here ends an event.
      if (from < end)
        frames += frame(type, text.slice(from, end).replace(/\n/g, `\n\nevent: ${type}\ndata: `));
    }
    at = end + 1;
    if (frames.length < batchCharacters) continue;
    yield frames;
    frames = '';
  }
  if (frames !== '') yield frames;
}

function lineEnd(text: string, at: number): number {
  const end = text.indexOf('\n', at);
  return end < 0 ? text.length : end;
}
