import type { ModelTool } from '../model.ts';
import { sumIn } from './arithmetic.ts';
import { offersProgram, wantsProgram } from './json/find-program.ts';
import { isSchema, listOf } from './json/schema.ts';
import { slotOf } from './json/slots.ts';
import { actionVerbs, genericVerbs, meantBy, nameParts, stem, stopWords, wordsOf } from './vocabulary.ts';

/** What a tool is about, in stems, each with how much it tells. */
export interface ToolSubject {
  tool: ModelTool;
  weights: Map<string, number>;
  needsNumbers: boolean;
  /** Whether it runs source code, which is taken from the whole of a text. */
  takesProgram: boolean;
}

const enough = 2;
const descriptionRead = 600;

export function subjectOf(tool: ModelTool): ToolSubject {
  const weights = new Map<string, number>();
  const add = (words: string[], weigh: (word: string, at: number) => number): void => {
    const telling = words.filter(
      (word) => word.length > 1 && !stopWords.has(word) && !genericVerbs.has(word),
    );
    for (const [at, word] of telling.entries()) {
      const stemmed = stem(word);
      weights.set(stemmed, Math.max(weights.get(stemmed) ?? 0, weigh(word, at)));
    }
  };
  const parts = nameParts(tool.name).filter((word) => !stopWords.has(word) && !genericVerbs.has(word));
  add(parts, (word) => (actionVerbs.has(word) && parts.length > 1 ? 1.2 : 3));
  const sentence = (tool.description ?? '').slice(0, descriptionRead).split(/[.\n]/, 1)[0] ?? '';
  add(wordsOf(sentence), (word, at) => (actionVerbs.has(word) ? 0.8 : at < 2 ? 2.3 : 0.6));
  const properties = isSchema(tool.parameters.properties) ? tool.parameters.properties : {};
  add(Object.keys(properties).slice(0, 50).flatMap(nameParts), () => 0.6);
  const required = new Set(listOf(tool.parameters.required));
  const numeric = Object.entries(properties).filter(
    ([key, schema]) =>
      required.has(key) && isSchema(schema) && /^(?:number|integer)$/.test(String(schema.type)),
  );
  const takesProgram = Object.entries(properties).some(
    ([key, schema]) =>
      required.has(key) && isSchema(schema) && wantsProgram(slotOf(key, schema.description, new Set())),
  );
  return { tool, weights, needsNumbers: numeric.length > 0, takesProgram };
}

/** Whether and how much `text` asks for what the tool does; 0 when it does not. */
export function scoreOf(
  { tool, weights, needsNumbers, takesProgram }: ToolSubject,
  text: string,
  stems: Map<string, number>,
): number {
  if (tool.name.length > 2 && text.includes(tool.name) && /[_-]|\p{Ll}\p{Lu}/u.test(tool.name)) return 100;
  let score = takesProgram && offersProgram(text) ? enough : 0;
  for (const [each, plainly] of stems) score += plainly * (weights.get(each) ?? 0);
  if (needsNumbers && !/\d/.test(text) && !numberWord.test(text)) score /= 2;
  return score >= enough ? score : 0;
}

const numberWord = /\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|hundred)\b/i;

const operations: [RegExp, string][] = [
  [/\+|\bplus\b/i, 'add'],
  [/[-−]|\bminus\b/i, 'subtract'],
  [/[*×]|\btimes\b|\bmultiplied\b/i, 'multiply'],
  [/[/÷]|\bdivided\b|\bover\b/i, 'divide'],
];

/** The stems of what `text` says, and a little less plainly of what is meant by them. */
export function stemsOf(text: string): Map<string, number> {
  const stems = new Map<string, number>();
  const add = (stemmed: string, plainly: number): void =>
    void stems.set(stemmed, Math.max(plainly, stems.get(stemmed) ?? 0));
  for (const word of wordsOf(text)) {
    if (stopWords.has(word) || genericVerbs.has(word)) continue;
    const stemmed = stem(word);
    add(stemmed, 1);
    const meant = meantBy(stemmed);
    if (meant !== undefined) add(meant, 0.9);
  }
  const sum = sumIn(text);
  if (sum === null) stems.delete(stem('multiply'));
  else {
    if (/\btimes\b/i.test(sum)) stems.delete(stem('times'));
    for (const [sign, word] of operations) if (sign.test(sum)) add(stem(word), 1);
    for (const word of ['calculate', 'calculator', 'math', 'arithmetic', 'expression']) {
      add(stem(word), 1);
    }
  }
  return stems;
}
