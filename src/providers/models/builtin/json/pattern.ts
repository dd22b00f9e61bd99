/**
 * Regular expressions as trees: to write texts that match them, and to match with bounded steps, which
 * JavaScript's own engine cannot.
 */

export type Pattern =
  | { kind: 'set'; test(character: string): boolean; samples: string[] }
  | { kind: 'sequence'; parts: Pattern[] }
  | { kind: 'choice'; options: Pattern[] }
  | { kind: 'repeat'; part: Pattern; least: number; most: number }
  | { kind: 'start' | 'end' | 'boundary' | 'inside' }
  | { kind: 'look'; part: Pattern; negative: boolean };

const longestPattern = 2000;
const deepestPattern = 40;

/** The tree of `source`; null when it is malformed or uses what is not understood: backreferences, lookbehind. */
export function parsePattern(source: string): Pattern | null {
  if (source.length > longestPattern) return null;
  const reader = { characters: [...source], at: 0, depth: 0 };
  try {
    const pattern = choice(reader);
    return reader.at === reader.characters.length ? pattern : null;
  } catch (error) {
    if (error instanceof NotUnderstood) return null;
    throw error;
  }
}

class NotUnderstood extends Error {}

interface Reader {
  characters: string[];
  at: number;
  depth: number;
}

const peek = (reader: Reader): string | undefined => reader.characters[reader.at];

function take(reader: Reader): string {
  const character = reader.characters[reader.at++];
  if (character === undefined) throw new NotUnderstood();
  return character;
}

function eat(reader: Reader, text: string): boolean {
  const found = [...text].every((character, at) => reader.characters[reader.at + at] === character);
  if (found) reader.at += text.length;
  return found;
}

function choice(reader: Reader): Pattern {
  if (++reader.depth > deepestPattern) throw new NotUnderstood();
  const options = [sequence(reader)];
  while (eat(reader, '|')) options.push(sequence(reader));
  reader.depth--;
  return options.length === 1 && options[0] !== undefined ? options[0] : { kind: 'choice', options };
}

function sequence(reader: Reader): Pattern {
  const parts: Pattern[] = [];
  for (let next = peek(reader); next !== undefined && next !== '|' && next !== ')'; next = peek(reader)) {
    parts.push(repeated(reader, atom(reader)));
  }
  return { kind: 'sequence', parts };
}

function repeated(reader: Reader, part: Pattern): Pattern {
  const next = peek(reader);
  let [least, most] = [1, 1];
  if (next === '*') [least, most] = [0, Number.POSITIVE_INFINITY];
  else if (next === '+') [least, most] = [1, Number.POSITIVE_INFINITY];
  else if (next === '?') [least, most] = [0, 1];
  else if (next === '{') {
    const bounds = /^\{(\d{1,5})(?:(,)(\d{0,5}))?\}/.exec(
      reader.characters.slice(reader.at, reader.at + 16).join(''),
    );
    if (bounds === null) throw new NotUnderstood();
    least = Number(bounds[1]);
    if (bounds[2] === undefined) most = least;
    else most = bounds[3] ? Number(bounds[3]) : Number.POSITIVE_INFINITY;
    if (most < least) throw new NotUnderstood();
    reader.at += bounds[0].length - 1;
  } else return part;
  reader.at++;
  eat(reader, '?');
  return { kind: 'repeat', part, least, most };
}

function atom(reader: Reader): Pattern {
  const character = take(reader);
  if (character === '^') return { kind: 'start' };
  if (character === '$') return { kind: 'end' };
  if (character === '.') return set((each) => each !== '\n', ['a', 'A', '1', '!']);
  if (character === '(') return group(reader);
  if (character === '[') return characterClass(reader);
  if (character === '\\') return escaped(reader);
  if (/[*+?{}\])]/.test(character)) throw new NotUnderstood();
  return literal(character);
}

function group(reader: Reader): Pattern {
  let wrap = (part: Pattern): Pattern => part;
  if (eat(reader, '?=')) wrap = (part) => ({ kind: 'look', part, negative: false });
  else if (eat(reader, '?!')) wrap = (part) => ({ kind: 'look', part, negative: true });
  else if (eat(reader, '?<')) {
    for (let name = take(reader); name !== '>'; name = take(reader)) {
      if (!/[\w$]/.test(name)) throw new NotUnderstood();
    }
  } else if (!eat(reader, '?:') && peek(reader) === '?') throw new NotUnderstood();
  const part = choice(reader);
  if (!eat(reader, ')')) throw new NotUnderstood();
  return wrap(part);
}

function escaped(reader: Reader): Pattern {
  const character = take(reader);
  if (character === 'b') return { kind: 'boundary' };
  if (character === 'B') return { kind: 'inside' };
  return setOf(reader, character);
}

const candidates = [
  'a',
  'b',
  'c',
  '1',
  '2',
  'A',
  'B',
  '_',
  '-',
  ' ',
  '.',
  '/',
  '@',
  '#',
  '!',
  'é',
  '中',
  '\t',
  '\n',
];

function set(test: (character: string) => boolean, samples: string[] = candidates): Pattern {
  return { kind: 'set', test, samples: samples.filter(test).slice(0, 8) };
}

const literal = (character: string): Pattern => set((each) => each === character, [character]);

const shorthands: Record<string, RegExp> = {
  d: /^\d$/,
  D: /^\D$/,
  w: /^\w$/,
  W: /^\W$/,
  s: /^\s$/,
  S: /^\S$/,
};
const controls: Record<string, string> = { n: '\n', r: '\r', t: '\t', f: '\f', v: '\v', 0: '\0' };

/** What stands for `\character`; digits would refer back to a group. */
function setOf(reader: Reader, character: string): Pattern & { kind: 'set' } {
  const shorthand = shorthands[character];
  let found: Pattern;
  if (shorthand !== undefined) found = set((each) => shorthand.test(each));
  else if (character === 'p' || character === 'P') found = property(reader, character);
  else if (character === 'u' || character === 'x') found = literal(codePoint(reader, character));
  else if (controls[character] !== undefined) found = literal(controls[character]);
  else if (/[A-Za-z0-9]/.test(character)) throw new NotUnderstood();
  else found = literal(character);
  return found as Pattern & { kind: 'set' };
}

function property(reader: Reader, letter: string): Pattern {
  const name = /^\{[\w=]{1,40}\}/.exec(reader.characters.slice(reader.at, reader.at + 42).join(''))?.[0];
  if (name === undefined) throw new NotUnderstood();
  reader.at += name.length;
  try {
    const test = new RegExp(`^\\${letter}${name}$`, 'u');
    return set((each) => test.test(each));
  } catch {
    throw new NotUnderstood();
  }
}

function codePoint(reader: Reader, letter: string): string {
  const rest = reader.characters.slice(reader.at, reader.at + 10).join('');
  const digits = (letter === 'x' ? /^[\dA-Fa-f]{2}/ : /^(?:[\dA-Fa-f]{4}|\{[\dA-Fa-f]{1,6}\})/).exec(
    rest,
  )?.[0];
  const value = Number.parseInt(digits?.replace(/[{}]/g, '') ?? '', 16);
  if (digits === undefined || value > 0x10_ffff) throw new NotUnderstood();
  reader.at += digits.length;
  return String.fromCodePoint(value);
}

function characterClass(reader: Reader): Pattern {
  const negative = eat(reader, '^');
  const tests: ((character: string) => boolean)[] = [];
  const samples: string[] = [];
  while (!eat(reader, ']')) {
    const from = classMember(reader);
    const dash = peek(reader) === '-' && reader.characters[reader.at + 1] !== ']';
    if (dash && from.samples.length === 1) {
      reader.at++;
      const to = classMember(reader);
      const [low = '', high = ''] = [from.samples[0], to.samples[0]];
      const [first, last] = [low.codePointAt(0) ?? 0, high.codePointAt(0) ?? 0];
      if (to.samples.length !== 1 || last < first) throw new NotUnderstood();
      tests.push((each) => {
        const code = each.codePointAt(0) ?? -1;
        return code >= first && code <= last;
      });
      for (let code = first; code <= Math.min(last, first + 2); code++)
        samples.push(String.fromCodePoint(code));
    } else {
      tests.push(from.test);
      samples.push(...from.samples);
    }
  }
  if (negative) return set((each) => !tests.some((test) => test(each)));
  return set((each) => tests.some((test) => test(each)), samples);
}

function classMember(reader: Reader): Pattern & { kind: 'set' } {
  const character = take(reader);
  if (character !== '\\') return literal(character) as Pattern & { kind: 'set' };
  const next = take(reader);
  return next === 'b' ? (literal('\b') as Pattern & { kind: 'set' }) : setOf(reader, next);
}

/**
 * A text that matches `pattern` as far as its parts can be seen one by one: repeats run `extra` times more
 * than they must, and choices take their option number `option`. Null when it would be longer than `longest`.
 */
export function sampleOf(pattern: Pattern, extra: number, option: number, longest: number): string | null {
  const written = { text: '', left: 4 * longest + 64 };
  write(pattern, written, extra, option);
  return written.left < 0 || written.text.length > longest * 2 ? null : written.text;
}

function write(
  pattern: Pattern,
  written: { text: string; left: number },
  extra: number,
  option: number,
): void {
  if (--written.left < 0) return;
  if (pattern.kind === 'set') {
    written.text += pattern.samples[option % Math.max(1, pattern.samples.length)] ?? '';
  } else if (pattern.kind === 'sequence') {
    for (const part of pattern.parts) write(part, written, extra, option);
  } else if (pattern.kind === 'choice') {
    const chosen = pattern.options[option % pattern.options.length];
    if (chosen !== undefined) write(chosen, written, extra, option);
  } else if (pattern.kind === 'repeat') {
    const times = Math.min(pattern.most, pattern.least + extra);
    // An odd option mixes what is repeated: some patterns look ahead for a digit, a letter and a sign.
    for (let time = 0; time < times && written.left > 0; time++) {
      write(pattern.part, written, extra, option % 2 === 1 ? option + time : option);
    }
  }
}

const stepsAllowed = 20_000;
const deepestMatch = 600;

/** Whether `pattern` is found in `text`; false too when that takes more than 20,000 steps to tell. */
export function matches(pattern: Pattern, text: string): boolean {
  const run: Run = { characters: [...text], left: stepsAllowed, depth: 0 };
  for (let at = 0; at <= run.characters.length && run.left > 0; at++) {
    if (step(pattern, at, run, () => true)) return true;
  }
  return false;
}

interface Run {
  characters: string[];
  left: number;
  depth: number;
}

function step(pattern: Pattern, at: number, run: Run, next: (at: number) => boolean): boolean {
  if (--run.left < 0 || run.depth > deepestMatch) return false;
  run.depth++;
  const found = stepInto(pattern, at, run, next);
  run.depth--;
  return found;
}

function stepInto(pattern: Pattern, at: number, run: Run, next: (at: number) => boolean): boolean {
  const { characters } = run;
  switch (pattern.kind) {
    case 'set': {
      const character = characters[at];
      return character !== undefined && pattern.test(character) && next(at + 1);
    }
    case 'start':
      return at === 0 && next(at);
    case 'end':
      return at === characters.length && next(at);
    case 'boundary':
    case 'inside': {
      const edge = isWord(characters[at - 1]) !== isWord(characters[at]);
      return edge === (pattern.kind === 'boundary') && next(at);
    }
    case 'look':
      return step(pattern.part, at, run, () => true) !== pattern.negative && next(at);
    case 'choice':
      return pattern.options.some((option) => step(option, at, run, next));
    case 'sequence':
      return inOrder(pattern.parts, 0, at, run, next);
    case 'repeat':
      return pattern.part.kind === 'set'
        ? repeatSet(pattern.part, pattern.least, pattern.most, at, run, next)
        : repeat(pattern.part, pattern.least, pattern.most, at, run, next);
  }
}

const isWord = (character: string | undefined): boolean => character !== undefined && /^\w$/.test(character);

function inOrder(
  parts: Pattern[],
  from: number,
  at: number,
  run: Run,
  next: (at: number) => boolean,
): boolean {
  const part = parts[from];
  if (part === undefined) return next(at);
  return step(part, at, run, (after) => inOrder(parts, from + 1, after, run, next));
}

/** One character at a time, without recursion: long texts would overflow the stack. */
function repeatSet(
  part: Pattern & { kind: 'set' },
  least: number,
  most: number,
  at: number,
  run: Run,
  next: (at: number) => boolean,
): boolean {
  let end = at;
  for (let count = 0; count < most; count++) {
    const character = run.characters[end];
    if (character === undefined || !part.test(character)) break;
    end++;
    run.left--;
  }
  for (; end >= at + least && run.left > 0; end--) {
    run.left--;
    if (next(end)) return true;
  }
  return false;
}

function repeat(
  part: Pattern,
  least: number,
  most: number,
  at: number,
  run: Run,
  next: (at: number) => boolean,
): boolean {
  if (most > 0) {
    const again = (after: number): boolean =>
      (after > at || least > 0) && repeat(part, Math.max(0, least - 1), most - 1, after, run, next);
    if (step(part, at, run, again)) return true;
  }
  return least === 0 && next(at);
}
