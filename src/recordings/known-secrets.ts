/** Secrets whose words are known, looked for all at once. */
import type { Edit } from './edits.ts';
import { secretMark } from './format.ts';

/** What is shorter, or may be a word, would be found where it is none. */
const shortest = 8;
const longestWord = 15;
const shortestInBase64 = 12;
const mostGiven = 1000;
const mostLearned = 2000;
/** The places of the filter; most texts are passed over by it alone. */
const slots = 1 << 20;

const words = /^[a-z]+(?:[-_. ](?:[a-z]+|\d{1,4}))*$/i;
/** What people call things by, such as `my-connection-1`. */
export const mayBeName = (text: string): boolean => words.test(text);
export const mayBeWord = (text: string): boolean =>
  text.length < shortest || (text.length <= longestWord && mayBeName(text));

/** What is looked for, and how long those are that begin alike, the longest first: keys of one service all do. */
interface Looked {
  all: Set<string>;
  lengths: Map<string, number[]>;
}

export class KnownSecrets {
  /** With what each is looked for as; the one that was told of last stands last. */
  readonly #given = new Map<string, string[]>();
  readonly #learned = new Map<string, string[]>();
  readonly #filter = new Uint8Array(slots);
  #looked: Looked | null = null;

  /** Of those that come in answers there may be any number; they crowd out no key of a client. */
  add(secret: string, isLearned: boolean): void {
    const bytes = Buffer.from(secret.toWellFormed());
    const known = bytes.toString('latin1');
    if (mayBeWord(known) || known.includes(secretMark)) return;
    const kept = isLearned ? this.#learned : this.#given;
    const before = kept.get(known);
    if (before === undefined) this.#looked = null;
    else kept.delete(known);
    kept.set(known, before ?? [known, ...inBase64(bytes)]);
    const [oldest] = kept.keys();
    if (kept.size > (isLearned ? mostLearned : mostGiven)) kept.delete(oldest ?? '');
  }

  in(text: string): Edit[] {
    const { lengths, all } = this.#index();
    const found: Edit[] = [];
    if (all.size === 0) return found;
    for (let at = 0; at + shortest <= text.length; at++) {
      if (this.#filter[slotOf(text, at)] === 0) continue;
      const length = lengths
        .get(text.slice(at, at + shortest))
        ?.find((one) => all.has(text.slice(at, at + one)));
      if (length === undefined) continue;
      found.push({ start: at, end: at + length, text: secretMark });
      at += length - 1;
    }
    return found;
  }

  #index(): Looked {
    if (this.#looked !== null) return this.#looked;
    const all = new Set([...this.#given.values(), ...this.#learned.values()].flat());
    const lengths = new Map<string, number[]>();
    this.#filter.fill(0);
    for (const one of all) {
      const beginning = one.slice(0, shortest);
      const others = lengths.get(beginning);
      if (others === undefined) lengths.set(beginning, [one.length]);
      else if (!others.includes(one.length)) others.push(one.length);
      this.#filter[slotOf(one, 0)] = 1;
    }
    for (const those of lengths.values()) those.sort((a, b) => b - a);
    this.#looked = { all, lengths };
    return this.#looked;
  }
}

const slotOf = (text: string, at: number): number =>
  (text.charCodeAt(at) ^
    (text.charCodeAt(at + 2) << 4) ^
    (text.charCodeAt(at + 4) << 8) ^
    (text.charCodeAt(at + 7) << 12)) &
  (slots - 1);

/** As it stands in base64 of anything that holds it: three bytes make four signs, so there are three ways. */
function inBase64(secret: Buffer): string[] {
  if (secret.length < shortestInBase64) return [];
  return [0, 1, 2].flatMap((before) => {
    const all = Buffer.concat([Buffer.alloc(before), secret]);
    // Signs that tell of neighbours, too, are left out.
    const core = all
      .toString('base64')
      .slice(before === 0 ? 0 : before + 1, Math.floor((all.length * 8) / 6));
    return [...new Set([core, core.replaceAll('+', '-').replaceAll('/', '_')])];
  });
}
