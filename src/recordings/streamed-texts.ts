/** What a stream says piece by piece: a secret may begin in one event and end in another. */
import { recordOf } from '../kit/record.ts';
import type { Edit } from './edits.ts';
import { jsonStrings } from './json-strings.ts';
import { Unescaped } from './unescaped.ts';

/** A delta: where what it says begins in the whole, and where it stands in the stream. */
interface Piece {
  said: number;
  start: number;
  end: number;
}

class StreamedText {
  readonly #stream: string;
  readonly #pieces: Piece[] = [];
  readonly #said: string[] = [];
  #length = 0;

  constructor(stream: string) {
    this.#stream = stream;
  }

  get says(): string {
    return this.#said.join('');
  }

  add(start: number, end: number): void {
    const { says } = Unescaped.ofJson(this.#stream.slice(start, end));
    if (says === '') return;
    this.#pieces.push({ said: this.#length, start, end });
    this.#said.push(says);
    this.#length += says.length;
  }

  /** What is to be edited in what it says, as edits of the stream. The first piece has the text. */
  inStream(edits: readonly Edit[]): Edit[] {
    const found: Edit[] = [];
    const ordered = edits.toSorted((a, b) => a.start - b.start);
    let next = 0;
    /** Those that have begun, and go on. */
    let open: Edit[] = [];
    for (const [i, { said, start, end }] of this.#pieces.entries()) {
      const until = said + (this.#said[i]?.length ?? 0);
      for (let edit = ordered[next]; edit !== undefined && edit.start < until; edit = ordered[++next]) {
        open.push(edit);
      }
      if (open.length === 0) continue;
      const within = open.map((edit) => ({
        start: Math.max(edit.start, said) - said,
        end: Math.min(edit.end, until) - said,
        text: edit.start < said ? '' : edit.text,
      }));
      for (const edit of Unescaped.ofJson(this.#stream.slice(start, end)).inText(within)) {
        found.push({ ...edit, start: start + edit.start, end: start + edit.end });
      }
      open = open.filter((edit) => edit.end > until);
    }
    return found;
  }
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
    const data = text.slice(from, until);
    if (!data.includes('"delta"')) continue;
    const event = parsed(data);
    for (const { path, start, end } of jsonStrings(data).strings) {
      if (!path.includes('delta')) continue;
      const key = `${path.join('.')} ${whose(event, path)}`;
      const so = texts.get(key) ?? new StreamedText(text);
      texts.set(key, so);
      so.add(from + start, from + end);
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
