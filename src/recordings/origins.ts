/** Addresses in answers lead to the upstream; who follows them has to stay with the recorder, or the replay. */
import type { Edit } from './edits.ts';
import { originMark } from './format.ts';

/** Where the addresses of an origin begin in a text, whatever their scheme; in JSON slashes may be escaped. */
function patternOf(origin: string): RegExp {
  const { host } = new URL(origin);
  const literal = host.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`https?:(?:\\\\?/){2}${literal}(?![\\w.:-])`, 'gi');
}

export const originEdits = (text: string, origin: string, to: string = originMark): Edit[] =>
  text.includes(new URL(origin).host)
    ? [...text.matchAll(patternOf(origin))].map((match) => ({
        start: match.index,
        end: match.index + match[0].length,
        text: to,
      }))
    : [];

/** Replaces an origin in a text that comes in pieces. Pieces stay as they are, unless one ends within an address. */
export class OriginStream {
  readonly #host: string;
  readonly #from: string;
  readonly #to: string;
  #held = '';

  constructor(from: string, to: string) {
    this.#host = new URL(from).host;
    this.#from = from;
    this.#to = to;
  }

  push(piece: Buffer): Buffer {
    const text = this.#held + piece.toString('latin1');
    const begun = this.#begun(text);
    this.#held = text.slice(begun);
    return this.#replaced(text.slice(0, begun));
  }

  /** What was held back. */
  end(): Buffer {
    const rest = this.#held;
    this.#held = '';
    return this.#replaced(rest);
  }

  #replaced(text: string): Buffer {
    let said = '';
    let done = 0;
    for (const { start, end, text: to } of originEdits(text, this.#from, this.#to)) {
      said += text.slice(done, start) + to;
      done = end;
    }
    return Buffer.from(said + text.slice(done), 'latin1');
  }

  /** Where, at the end, an address may have begun that is not whole yet, with the sign that ends it. */
  #begun(text: string): number {
    const longest = 'https:\\/\\/'.length + this.#host.length;
    const from = Math.max(0, text.length - longest);
    for (let at = text.indexOf('h', from); at !== -1; at = text.indexOf('h', at + 1)) {
      const tail = text.slice(at).replaceAll('\\', '').toLowerCase();
      if (['https://', 'http://'].some((scheme) => (scheme + this.#host).startsWith(tail))) return at;
    }
    return text.length;
  }
}
