import { readFile } from 'node:fs/promises';
import { isOfDomains, type SearchProvider, type SearchResult } from './search-provider.ts';

interface Document extends SearchResult {
  /** Words in title and text. */
  length: number;
}

interface Posting {
  document: Document;
  count: number;
}

/** Searches a JSON file, `[{url, title, text}]`, ranked by BM25. Throws about a file that is none. */
export async function fileIndex(path: string): Promise<SearchProvider> {
  const postings = new Map<string, Posting[]>();
  const documents = read(await readFile(path, 'utf8'), path).map((one): Document => {
    const words = wordsOf(`${one.title} ${one.title} ${one.text}`);
    const document = { ...one, length: words.length };
    const counts = new Map<string, number>();
    for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
    for (const [word, count] of counts) {
      const list = postings.get(word) ?? [];
      if (list.length === 0) postings.set(word, list);
      list.push({ document, count });
    }
    return document;
  });
  const average = documents.reduce((sum, { length }) => sum + length, 0) / Math.max(1, documents.length);
  return {
    isLive: false,
    async search({ text, count, domains }) {
      const words = new Set(wordsOf(text));
      const scores = new Map<Document, number>();
      for (const word of words) {
        const found = postings.get(word) ?? [];
        const weight = Math.log(1 + (documents.length - found.length + 0.5) / (found.length + 0.5));
        for (const { document, count: times } of found) {
          const score = weight * saturation(times, document.length / average);
          scores.set(document, (scores.get(document) ?? 0) + score);
        }
      }
      return [...scores]
        .filter(([{ url }]) => isOfDomains(url, domains))
        .sort(([, a], [, b]) => b - a)
        .slice(0, count)
        .map(([{ url, title, text: whole }]) => ({ url, title, text: fromFirstHit(whole, words) }));
    },
  };
}

/** The usual constants of BM25. */
const saturation = (count: number, length: number): number =>
  (count * 2.2) / (count + 1.2 * (0.25 + 0.75 * length));

const wordsOf = (text: string): string[] => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];

const before = 200;

/** From a little before the first word of the query on, so that what is cut off later is the rest. */
function fromFirstHit(text: string, words: ReadonlySet<string>): string {
  for (const { 0: word, index } of text.matchAll(/[\p{L}\p{N}]+/gu)) {
    if (!words.has(word.toLowerCase())) continue;
    if (index <= before) return text;
    const start = text.indexOf(' ', index - before);
    return `…${text.slice(start)}`;
  }
  return text;
}

function read(text: string, path: string): SearchResult[] {
  const wrong = (why: string) => new Error(`webSearch.path: '${path}' ${why}`);
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch {
    throw wrong('is not JSON');
  }
  if (!Array.isArray(list)) throw wrong('must hold a list of {"url", "title", "text"}');
  return list.map((one: unknown, i) => {
    const { url, title = '', text: content } = (one ?? {}) as Record<string, unknown>;
    if (typeof url !== 'string' || typeof title !== 'string' || typeof content !== 'string') {
      throw wrong(`has no 'url', 'title' and 'text' that are texts at [${i}]`);
    }
    return { url, title, text: content };
  });
}
