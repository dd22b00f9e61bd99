import { shortened } from '../cited-pages.ts';
import type { IndexSchema } from './index-schema.ts';

export interface FoundDocument {
  /** Its key; empty where it is not known. */
  id: string;
  /** Empty where the document has none. */
  title: string;
  /** Where it says it is from; empty where it says nothing. */
  url: string;
  content: string;
  score: number | null;
  /** Where the service gives the document away; empty where its key is not known. */
  getUrl: string;
}

const titleFields = ['title', 'metadata_title', 'filename', 'file_name', 'metadata_storage_name', 'name'];
const urlFields = ['url', 'source_url', 'link', 'uri', 'filepath', 'metadata_storage_path'];
const keyFields = ['id', 'chunk_id', 'key'];

export const longestContent = 8192;

/** Fields are known by the names that are common; whatever else a document has is its content. */
export function readDocument(
  document: Record<string, unknown>,
  schema: IndexSchema | null,
  root: string,
): FoundDocument {
  const fields = Object.entries(document).filter(([name]) => !name.startsWith('@'));
  const byName = new Map(fields.map(([name, value]) => [name.toLowerCase(), { name, value }]));
  const textOf = (names: string[], fits: (text: string) => boolean = (text) => text !== '') => {
    const found = names.map((name) => byName.get(name)).find((field) => isFitting(field?.value, fits));
    return { name: found?.name, text: typeof found?.value === 'string' ? found.value : '' };
  };
  const key = textOf(schema?.key ? [schema.key.toLowerCase()] : keyFields);
  const title = textOf(titleFields);
  const url = textOf(urlFields, (text) => /^https?:\/\//.test(text));
  const told = new Set([key.name, title.name, url.name]);
  const content = fields.filter(([name]) => !told.has(name)).flatMap(([name, value]) => wordsOf(name, value));
  return {
    id: key.text,
    title: shortened(title.text, 512),
    url: url.text.length > 2048 ? '' : url.text,
    content: shortened(content.join('\n'), longestContent),
    score: numberOf(document['@search.rerankerScore']) ?? numberOf(document['@search.score']),
    getUrl: key.text === '' ? '' : `${root}/docs/${encodeURIComponent(key.text)}`,
  };
}

const isFitting = (value: unknown, fits: (text: string) => boolean): boolean =>
  typeof value === 'string' && fits(value);

const numberOf = (value: unknown): number | null => (typeof value === 'number' ? value : null);

/** Texts speak for themselves; other values are told with their names. Vectors say nothing. */
function wordsOf(name: string, value: unknown): string[] {
  if (typeof value === 'string') return value === '' ? [] : [value];
  if (value === null || value === undefined) return [];
  if (Array.isArray(value)) {
    if (value.length === 0 || (value.length > 16 && value.every((one) => typeof one === 'number'))) return [];
    if (value.every((one) => typeof one === 'string')) return [`${name}: ${value.join(', ')}`];
  }
  return [`${name}: ${JSON.stringify(value)}`];
}
