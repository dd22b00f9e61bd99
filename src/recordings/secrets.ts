/** Finds what nobody but its owner may see. Texts are taken byte for byte, a character for each (`latin1`). */
import { isSecretField } from '../kit/secret-names.ts';
import { type Edit, edited } from './edits.ts';
import { secretMark } from './format.ts';
import { type JsonString, jsonStrings } from './json-strings.ts';
import { KnownSecrets, mayBeName } from './known-secrets.ts';
import { assigned, formed } from './secret-forms.ts';
import { streamedTexts } from './streamed-texts.ts';
import { Unescaped } from './unescaped.ts';

/** What has been given as a secret once is looked for everywhere, unless it may be an ordinary word. */
const shortestLearned = 16;
const deepest = 4;
/** A text in an address in JSON, and the like. */
const mostEscaped = 3;
const isComparison = /^"(?:eq|ne|gte?|lte?|n?in|contains)"$/;
const ofKeys = /^(?:k|d|p|q|dp|dq|qi)$/;

export class Secrets {
  readonly #known = new KnownSecrets();

  /** Is looked for from now on, in the spellings that it may have. */
  add(secret: string): void {
    this.#known.add(secret, false);
  }

  /** What a name or its form has told to be a secret. */
  learn(secret: string, name = ''): void {
    if (secret.length < shortestLearned || /\s/.test(secret)) return;
    // People also call names and places keys.
    if (/^keys?$/i.test(name) && mayBeName(secret)) return;
    this.#known.add(secret, true);
  }

  /** The secrets in a text of any kind: JSON, a stream of events, a form, prose. */
  in(text: string): Edit[] {
    return this.#find(text, 0);
  }

  scrubbed(text: string): string {
    const latin1 = Buffer.from(text.toWellFormed()).toString('latin1');
    const edits = this.in(latin1);
    return edits.length === 0 ? text : Buffer.from(edited(latin1, edits), 'latin1').toString();
  }

  #find(text: string, depth: number): Edit[] {
    // First, as these tell of more that is to be looked for.
    const named = stringsOf(text).flatMap((one) => this.#named(text, one, depth));
    const streamed = streamedTexts(text).flatMap((one) => one.inStream(this.#find(one.says, depth + 1)));
    return [...named, ...streamed, ...this.#spelled(text, true, 0)];
  }

  #named(text: string, one: JsonString, depth: number): Edit[] {
    const { start, end } = one;
    if (start === end) return [];
    const value = text.slice(start, end);
    if (isSecret(one, value)) {
      if (value === secretMark) return [];
      this.learn(utf8Of(Unescaped.ofJson(value).says), lastName(one));
      return [{ start, end, text: secretMark }];
    }
    // JSON in a string of JSON, as the arguments of calls are, and what models write.
    if (depth >= deepest || !value.includes('\\"') || !/[[{]/.test(value)) return [];
    const inner = Unescaped.ofJson(value);
    const edits = inner.inText(this.#find(inner.says, depth + 1));
    return edits.map((edit) => ({ ...edit, start: start + edit.start, end: start + edit.end }));
  }

  /** By their forms, and those that are known, as they stand and however they are escaped. */
  #spelled(text: string, isText: boolean, times: number): Edit[] {
    const edits: Edit[] = [];
    if (isText) {
      for (const { start, secret, name } of [...formed(text), ...assigned(text)]) {
        if (secret === secretMark) continue;
        this.learn(utf8Of(secret), name);
        const plain = Unescaped.ofAny(secret);
        if (plain !== null) this.learn(utf8Of(plain.says), name);
        edits.push({ start, end: start + secret.length, text: secretMark });
      }
    }
    const plain = times < mostEscaped ? Unescaped.ofAny(text) : null;
    if (plain !== null) {
      edits.push(...plain.inText(this.#spelled(plain.says, isText && isTelling.test(text), times + 1)));
    }
    return [...edits, ...this.#known.in(text)];
  }

  /** In what is no text: where one that is known stands as it is. */
  exactlyIn(text: string): Edit[] {
    return this.#known.in(text);
  }
}

/** The signs that stand around names and values, escaped. */
const isTelling = /\\u00|%(?:25)*(?:3|20|26)/i;

const utf8Of = (latin1: string): string =>
  /[\u0080-\uffff]/.test(latin1) && !/[^\0-\xff]/.test(latin1)
    ? Buffer.from(latin1, 'latin1').toString()
    : latin1;

const lastName = ({ path }: JsonString): string =>
  (path.findLast((step) => typeof step === 'string') as string | undefined) ?? '';

function isSecret({ path, beside }: JsonString, value: string): boolean {
  const names = path.filter((step) => typeof step === 'string');
  const name = names.at(-1) ?? '';
  const holders = names.slice(0, -1);
  // What a model says, sign by sign, with how likely it was.
  if (name === 'token' && beside.has('logprob')) return false;
  // Of an address for uploads only its signature is one: clients have to call it.
  if (holders.some(isSecretField)) return name !== 'type' && !/^https?:/.test(value);
  // The headers that a tool is to send; those of a description are objects.
  if (holders.at(-1) === 'headers') return true;
  if (path.at(-2) === 'tokens' && path.at(-1) === name) return true;
  if (ofKeys.test(name) && beside.has('kty')) return true;
  if (!isSecretField(name)) return false;
  // A filter compares the attribute `key` with a value.
  return !(name === 'key' && beside.has('value') && isComparison.test(beside.get('type') ?? ''));
}

/** The strings of all JSON in a text: the whole of it, each of its lines, the data of its events, and within prose. */
function stringsOf(text: string): JsonString[] {
  const found: JsonString[] = [];
  const begin = /(?:^(?:\xef\xbb\xbf)?|\n)(?:data:)?[ \t]*(?=[[{])|(?=\{\s*")/g;
  for (let match = begin.exec(text); match !== null; match = begin.exec(text)) {
    const { strings, end } = jsonStrings(text, begin.lastIndex);
    for (const one of strings) found.push(one);
    begin.lastIndex = Math.max(end, begin.lastIndex + 1);
  }
  return found;
}
