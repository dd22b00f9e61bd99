/** Documents to take in: the same in every run, of words as frequent as those of a language. */
import {
  docxOf,
  docxParagraph,
  pdfLines,
  pdfOfPages,
  pptxOf,
  pptxShape,
  xlsxOf,
} from '../src/providers/documents/testing/sample-documents.ts';
import { type Random, seededRandom, zipfRanks } from './zipf.ts';

export interface BenchDocument {
  filename: string;
  content: Uint8Array;
  /** Of the text that was put into it, without marks. */
  textBytes: number;
}

const vocabulary = 30_000;
const consonants = 'b c d f g h l m n p r s t v w st tr pl'.split(' ');
const vowels = 'a e i o u ea ou'.split(' ');

/** Frequent words are short, as in a language. */
function wordOf(rank: number): string {
  const pick = (from: readonly string[], n: number): string => from[n % from.length] ?? '';
  let rest = rank;
  let word = '';
  do {
    word += pick(consonants, rest) + pick(vowels, Math.floor(rest / consonants.length));
    rest = Math.floor(rest / (consonants.length * vowels.length));
  } while (rest > 0);
  return word + pick(['', 's', 'n', 'ing', 'ed', ''], rank * 7);
}

const known = Array.from({ length: vocabulary }, (_, rank) => wordOf(rank));

interface Prose {
  random: Random;
  words(count: number): string;
  sentence(): string;
  paragraph(): string;
}

function prose(seed: number): Prose {
  const random = seededRandom(seed);
  const rank = zipfRanks(random, vocabulary);
  const words = (count: number): string => Array.from({ length: count }, () => known[rank()]).join(' ');
  const sentence = (): string => {
    const text = words(6 + Math.floor(random() * 14));
    return `${text.charAt(0).toUpperCase()}${text.slice(1)}${random() < 0.1 ? '?' : '.'}`;
  };
  const paragraph = (): string => Array.from({ length: 3 + Math.floor(random() * 5) }, sentence).join(' ');
  return { random, words, sentence, paragraph };
}

/** How a kind of document is made of paragraphs, and what of them is its text. */
type Form = (paragraphs: string[], from: Prose) => string | Uint8Array;

const heading = ({ words }: Prose): string => words(4);

const forms: Record<string, Form> = {
  txt: (paragraphs) => paragraphs.join('\n\n'),
  md: (paragraphs, from) =>
    paragraphs
      .map((text, at) => (at % 4 === 0 ? `## ${heading(from)}\n\n${text}` : `- ${text}`))
      .join('\n\n'),
  html: (paragraphs, from) =>
    `<!doctype html><html><head><title>${heading(from)}</title></head><body>${paragraphs
      .map((text) => `<h2>${heading(from)}</h2><p>${text}</p>`)
      .join('')}</body></html>`,
  json: (paragraphs, from) =>
    JSON.stringify(
      paragraphs.map((text, id) => ({ id, title: heading(from), text })),
      null,
      2,
    ),
  csv: (paragraphs, from) =>
    `number,title,amount,text\n${paragraphs
      .map((text, at) => `${at},${heading(from)},${(from.random() * 1000).toFixed(2)},"${text}"`)
      .join('\n')}\n`,
  ts: (paragraphs, from) =>
    paragraphs
      .map((text, at) => {
        const name = from.words(2).replace(' ', '_');
        return `/** ${text} */\nexport function ${name}${at}(given: number[]): number {\n  return given.reduce((sum, one) => sum + one * ${at}, 0);\n}\n`;
      })
      .join('\n'),
  docx: (paragraphs) => docxOf(paragraphs.map((text) => docxParagraph(text)).join('')),
  pptx: (paragraphs, from) =>
    pptxOf(paragraphs.map((text) => ({ shapes: pptxShape(heading(from), 'title') + pptxShape(text) }))),
  xlsx: (paragraphs) =>
    xlsxOf(
      {
        Texts: paragraphs.map((_, at) => `<row><c><v>${at}</v></c><c t="s"><v>${at}</v></c></row>`).join(''),
      },
      { strings: paragraphs.map((text) => `<si><t>${text}</t></si>`).join('') },
    ),
  pdf: (paragraphs) =>
    pdfOfPages(
      chunked(
        paragraphs.flatMap((text) => text.match(/.{1,90}(?: |$)/g) ?? []),
        40,
      ).map((lines) => pdfLines(...lines)),
    ),
};

const chunked = <T>(all: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(all.length / size) }, (_, at) => all.slice(at * size, (at + 1) * size));

function documentOf(kind: string, name: string, bytes: number, from: Prose): BenchDocument {
  const paragraphs: string[] = [];
  let textBytes = 0;
  while (textBytes < bytes) {
    const text = from.paragraph();
    paragraphs.push(text);
    textBytes += text.length;
  }
  const content = forms[kind]?.(paragraphs, from) ?? '';
  return { filename: `${name}.${kind}`, content: Buffer.from(content), textBytes };
}

/** Of ten kinds in turn; most are short, a few are long, and together they have about so many bytes of text each. */
export function mixedDocuments(count: number, averageBytes: number): BenchDocument[] {
  const from = prose(1);
  const kinds = Object.keys(forms);
  // The mean of 0.2 + 3.2 x³ is 1.
  return Array.from({ length: count }, (_, at) =>
    documentOf(
      kinds[at % kinds.length] ?? '',
      `mixed-${at}`,
      averageBytes * (0.2 + 3.2 * from.random() ** 3),
      from,
    ),
  );
}

export function plainDocuments(count: number, bytes: number): BenchDocument[] {
  const from = prose(2);
  return Array.from({ length: count }, (_, at) => documentOf('txt', `plain-${at}`, bytes, from));
}
