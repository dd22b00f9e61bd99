/** Finds what nobody but its owner may see. Texts are taken byte for byte, a character for each (`latin1`). */
import { isSecretField, spellings } from '../kit/secret-names.ts';
import { type Edit, edited } from './edits.ts';
import { secretMark } from './format.ts';
import { type JsonString, jsonStrings } from './json-strings.ts';
import { streamedTexts } from './streamed-texts.ts';

const shortestKnown = 6;
/** What has been given as a secret once is looked for everywhere, unless it may be an ordinary word. */
const shortestLearned = 16;

/** Of each the part that is kept, then the secret. */
const forms: RegExp[] = [
  // The signature of an address in Azure Storage, also within JSON and other addresses.
  /((?<![a-z_])sig(?:=|%3d))([^&\s"'<>\\#;,]+)/gi,
  /((?:account|sharedaccess|access)key=|sharedaccesssignature=|(?<![a-z])(?:password|pwd)=)([^;&\s"'<>\\]+)/gi,
  /(\bbearer(?:\s+|%20))((?=[^\s"]*\d)[\w.~+/=-]{16,})/gi,
  /(\b[Bb]asic(?:\s+|%20))((?=[^\s"]*[\dA-Z])[\w+/]{16,}={0,2})/g,
  /()(\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*)/g,
  /(\b)((?:sk|pk|rk)-[\w-]{16,}|blm_[\w-]{16,}|gh[pousr]_\w{20,}|xox[abprs]-[\w-]{10,})/g,
  /(:\/\/[^\s:/@"'\\]{0,128}:)([^\s:/@"'\\]+)(?=@)/g,
  /(-----BEGIN [A-Z ]*PRIVATE KEY-----)([\s\S]{0,16384}?)(?=-----END)/g,
];
const parameter = /([?&]|^)([\w.-]{1,64})=([^&\s"'<>\\#]+)/g;

export class Secrets {
  readonly #known = new Set<string>();

  /** Is looked for from now on, in the spellings that it may have. */
  add(secret: string): void {
    if (secret.length < shortestKnown || secret.includes(secretMark)) return;
    for (const spelling of spellings(secret)) {
      this.#known.add(Buffer.from(spelling.toWellFormed()).toString('latin1'));
    }
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
    const strings = stringsOf(text);
    // First, as these tell of more that is to be looked for.
    const named = strings.flatMap((one) => this.#named(text, one, depth));
    const streamed = streamedTexts(text).flatMap(({ says, places, ends }) =>
      this.#find(says, depth + 1).flatMap(({ start, end }) =>
        places.slice(start, end).map((place, i) => ({
          start: place,
          end: ends[start + i] ?? place + 1,
          text: i === 0 ? secretMark : '',
        })),
      ),
    );
    return [...named, ...formed(text), ...streamed, ...this.exactlyIn(text)];
  }

  #named(text: string, one: JsonString, depth: number): Edit[] {
    const { start, end } = one;
    if (start === end) return [];
    const value = text.slice(start, end);
    if (isSecret(one, value)) {
      if (value === secretMark) return [];
      if (end - start >= shortestLearned && !/\s/.test(value)) this.#known.add(value);
      return [{ start, end, text: secretMark }];
    }
    // JSON in a string of JSON, as the arguments of calls are.
    if (depth > 3 || !/^\s*[[{]/.test(value) || !value.includes('\\"')) return [];
    const inner = parsedString(value);
    const edits = inner === null ? [] : this.#find(inner, depth + 1);
    if (inner === null || edits.length === 0) return [];
    return [{ start, end, text: asciiString(edited(inner, edits)) }];
  }

  /** In what is no text: where one that is known stands as it is. */
  exactlyIn(text: string): Edit[] {
    const found: Edit[] = [];
    for (const secret of this.#known) {
      for (let at = text.indexOf(secret); at !== -1; at = text.indexOf(secret, at + secret.length)) {
        found.push({ start: at, end: at + secret.length, text: secretMark });
      }
    }
    return found;
  }
}

function isSecret({ path, beside }: JsonString, value: string): boolean {
  const names = path.filter((step) => typeof step === 'string');
  const name = names.at(-1) ?? '';
  const holders = names.slice(0, -1);
  // Of an address for uploads only its signature is one: clients have to call it.
  if (holders.some(isSecretField)) return name !== 'type' && !/^https?:/.test(value);
  // The headers that a tool is to send; those of a description are objects.
  if (holders.at(-1) === 'headers') return true;
  if (!isSecretField(name)) return false;
  if (name === 'token' && beside.has('logprob')) return false;
  // A filter compares the attribute `key` with a value.
  return !(name === 'key' && beside.has('value') && beside.has('type'));
}

function formed(text: string): Edit[] {
  const edit = (match: RegExpExecArray, before: number, secret: string): Edit[] => {
    const start = match.index + before;
    return secret === secretMark ? [] : [{ start, end: start + secret.length, text: secretMark }];
  };
  return [
    ...forms.flatMap((form) =>
      [...text.matchAll(form)].flatMap((match) => edit(match, match[1]?.length ?? 0, match[2] ?? '')),
    ),
    ...[...text.matchAll(parameter)].flatMap((match) => {
      const [, sign = '', name = '', value = ''] = match;
      return isSecretField(name) ? edit(match, sign.length + name.length + 1, value) : [];
    }),
  ];
}

/** The strings of all JSON in a text: the whole of it, each of its lines, or the data of its events. */
function stringsOf(text: string): JsonString[] {
  const found: JsonString[] = [];
  const begin = /(?:^|\n)(?:data:)?[ \t]*(?=[[{])/g;
  for (let match = begin.exec(text); match !== null; match = begin.exec(text)) {
    const { strings, end } = jsonStrings(text, begin.lastIndex);
    found.push(...strings);
    begin.lastIndex = Math.max(end, begin.lastIndex + 1);
  }
  return found;
}

function parsedString(raw: string): string | null {
  try {
    return JSON.parse(`"${raw}"`) as string;
  } catch {
    return null;
  }
}

/** What an escape stands for may be no byte. */
const asciiString = (text: string): string =>
  JSON.stringify(text)
    .slice(1, -1)
    .replace(/[^\0-\xff]/g, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`);
