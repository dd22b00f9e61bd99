import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { vectorOf } from '../src/providers/models/builtin/vectors.ts';
import { openSearchIndex } from '../src/providers/search/open-search-index.ts';
import { wordsIn } from '../src/providers/search/words.ts';

/** How well sections of documents are found by their headings: nDCG of the first ten. */
export interface SearchQuality {
  sections: number;
  queries: number;
  words: number;
  vectors: number;
  hybrid: number;
  /** BM25Okapi, as the Python package `rank-bm25` has it, over the same words. */
  reference: number;
}

interface Section {
  heading: string;
  text: string;
}

const root = new URL('../', import.meta.url).pathname;
const dimensions = 384;
const sizes = { fewestWords: 30, mostWords: 400, mostSections: 4000, fewestHeadingWords: 3 };
const perFile = 50;

/**
 * The sections of the Markdown files that the installed packages bring, without their headings. A heading asks for
 * the section that it stood over; one that stands over several asks for nothing.
 */
export async function measureSearchQuality(parent: string): Promise<SearchQuality> {
  const directory = join(parent, 'search-quality');
  mkdirSync(directory);
  const sections = readSections();
  const times = new Map<string, number>();
  const keyOf = ({ heading }: Section) => wordsIn(heading).join(' ');
  for (const section of sections) times.set(keyOf(section), (times.get(keyOf(section)) ?? 0) + 1);
  const queries = [...sections.entries()].filter(
    ([, section]) =>
      times.get(keyOf(section)) === 1 && new Set(wordsIn(section.heading)).size >= sizes.fewestHeadingWords,
  );
  const embed = (text: string) => Float32Array.from(vectorOf(text, dimensions));
  const collection = { project: 'bench', id: 'vs_quality' };
  const index = openSearchIndex({ directory });
  for (let first = 0; first < sections.length; first += perFile) {
    const chunks = sections.slice(first, first + perFile).map(({ text }) => ({ text, vector: embed(text) }));
    const id = `file-${String(first).padStart(8, '0')}`;
    await index.put(collection, { id, filename: 'sections.md', attributes: {} }, chunks);
  }
  const find = async (text: string, weights: { embedding: number; text: number }): Promise<number[]> => {
    const hits = await index.search([collection], {
      queries: [{ text, vector: embed(text) }],
      limit: 10,
      filter: null,
      weights,
      scoreThreshold: 0,
    });
    return hits.map(({ file, chunk }) => Number(file.id.slice(5)) + chunk);
  };
  const reference = okapi(sections.map(({ text }) => wordsIn(text)));
  const sums = { words: 0, vectors: 0, hybrid: 0, reference: 0 };
  for (const [number, { heading }] of queries) {
    sums.words += gain(await find(heading, { embedding: 0, text: 1 }), number);
    sums.vectors += gain(await find(heading, { embedding: 1, text: 0 }), number);
    sums.hybrid += gain(await find(heading, { embedding: 1, text: 1 }), number);
    sums.reference += gain(reference(wordsIn(heading)), number);
  }
  await index.close();
  const mean = (sum: number) => sum / queries.length;
  return {
    sections: sections.length,
    queries: queries.length,
    words: mean(sums.words),
    vectors: mean(sums.vectors),
    hybrid: mean(sums.hybrid),
    reference: mean(sums.reference),
  };
}

/** nDCG where one document is relevant. */
function gain(found: readonly number[], relevant: number): number {
  const rank = found.indexOf(relevant);
  return rank === -1 ? 0 : 1 / Math.log2(rank + 2);
}

/** Ten best documents by number, with the package's own parameters. */
function okapi(documents: readonly string[][]): (query: readonly string[]) => number[] {
  const [k1, b, epsilon] = [1.5, 0.75, 0.25];
  const counts = documents.map((words) => {
    const frequency = new Map<string, number>();
    for (const word of words) frequency.set(word, (frequency.get(word) ?? 0) + 1);
    return frequency;
  });
  const average = documents.reduce((sum, { length }) => sum + length, 0) / documents.length;
  const containing = new Map<string, number>();
  for (const frequency of counts) {
    for (const word of frequency.keys()) containing.set(word, (containing.get(word) ?? 0) + 1);
  }
  const idf = new Map<string, number>();
  for (const [word, n] of containing) idf.set(word, Math.log(documents.length - n + 0.5) - Math.log(n + 0.5));
  const floor = (epsilon * [...idf.values()].reduce((sum, one) => sum + one, 0)) / idf.size;
  for (const [word, value] of idf) if (value < 0) idf.set(word, floor);
  return (query) => {
    const scored = counts.map((frequency, number) => {
      const length = documents[number]?.length ?? 0;
      const score = query.reduce((sum, word) => {
        const count = frequency.get(word) ?? 0;
        const norm = k1 * (1 - b + (b * length) / average);
        return sum + ((idf.get(word) ?? 0) * count * (k1 + 1)) / (count + norm);
      }, 0);
      return { number, score };
    });
    return scored
      .sort((one, other) => other.score - one.score || one.number - other.number)
      .slice(0, 10)
      .map(({ number }) => number);
  };
}

function readSections(): Section[] {
  const folder = join(root, 'node_modules');
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.md$/i.test(path) && !/change|history|licen[cs]e/i.test(path))
    .sort();
  const seen = new Set<string>();
  const sections: Section[] = [];
  for (const path of paths) {
    for (const section of sectionsOf(readFileSync(join(folder, path), 'utf8'))) {
      if (sections.length === sizes.mostSections) return sections;
      const words = section.text.split(/\s+/).length;
      if (words < sizes.fewestWords || words > sizes.mostWords || seen.has(section.text)) continue;
      seen.add(section.text);
      sections.push(section);
    }
  }
  return sections;
}

function sectionsOf(markdown: string): Section[] {
  const parts = markdown.replace(/^```[\s\S]*?^```/gm, '').split(/^#{1,4} +(.+)$/m);
  const sections: Section[] = [];
  for (let at = 1; at + 1 < parts.length; at += 2) {
    sections.push({ heading: (parts[at] ?? '').trim(), text: (parts[at + 1] ?? '').trim() });
  }
  return sections;
}
