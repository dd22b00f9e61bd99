/** What a stream says piece by piece: a secret may begin in one event and end in another. */
import { recordOf } from '../kit/record.ts';
import { decodedAt, jsonStrings } from './json-strings.ts';

export interface StreamedText {
  says: string;
  /** Of each character: where it stands in the stream, and where it ends there. */
  places: number[];
  ends: number[];
}

const telling = ['type', 'item_id', 'output_index', 'content_index', 'summary_index', 'id'];

/** The texts that the deltas of a stream make up, each put together. */
export function streamedTexts(text: string): StreamedText[] {
  const texts = new Map<string, StreamedText>();
  const line = /(?:^|\n)data:[ \t]*(?=\{)/g;
  for (let match = line.exec(text); match !== null; match = line.exec(text)) {
    const from = line.lastIndex;
    const newline = text.indexOf('\n', from);
    const until = newline === -1 ? text.length : newline;
    if (!text.slice(from, until).includes('"delta"')) continue;
    const event = parsed(text.slice(from, until));
    for (const { path, start, end } of jsonStrings(text, from).strings) {
      if (!path.includes('delta')) continue;
      const key = `${path.join('.')} ${whose(event, path)}`;
      const so = texts.get(key) ?? { says: '', places: [], ends: [] };
      texts.set(key, so);
      const { says, places } = decodedAt(text, start, end);
      so.says += says;
      for (const [i, place] of places.entries()) {
        so.places.push(place);
        so.ends.push(places[i + 1] ?? end);
      }
    }
  }
  return [...texts.values()];
}

/** What tells one text of a stream from another, gathered on the way to it. */
function whose(event: unknown, path: (string | number)[]): string {
  const told: unknown[] = [];
  let at = event;
  for (const step of path) {
    const holder = recordOf(at);
    // Of a call only the first event has id and type; all have its place.
    if (typeof holder.index === 'number') told.push(holder.index);
    else for (const name of telling) told.push(holder[name]);
    at = Array.isArray(at) ? at[step as number] : holder[step];
  }
  return JSON.stringify(told);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
