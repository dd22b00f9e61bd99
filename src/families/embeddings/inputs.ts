import { type ApiError, invalidPayload } from '../../errors.ts';
import type { CreateEmbedding } from './contract.ts';

const mostInputs = 2048;
/** Ids of `cl100k_base` below this stand for text; special tokens follow. */
const textTokens = 100_256;

/**
 * The texts to embed. Token ids are read as `cl100k_base`: OpenAI's embedding models use it, and clients that split
 * long texts into tokens fall back to it for model names they do not know.
 */
export async function inputTexts(input: CreateEmbedding['input']): Promise<string[]> {
  if (typeof input === 'string') return [input];
  if (typeof input[0] === 'number') return [await decoded(tokens(input, 'input'))];
  if (input.length > mostInputs) {
    throw invalidPayload('input', `'input' has ${input.length} elements; at most ${mostInputs} are taken.`);
  }
  if (typeof input[0] === 'string') return input.map(text);
  const lists = input.map((element, i) => tokens(element, `input[${i}]`));
  return Promise.all(lists.map(decoded));
}

function text(element: unknown, i: number): string {
  if (typeof element === 'string' && element !== '') return element;
  throw wrong(`input[${i}]`, 'must be a text that is not empty, as the first element is');
}

function tokens(list: unknown, target: string): number[] {
  if (!Array.isArray(list) || list.length === 0)
    throw wrong(target, 'must be a list of token ids, not empty');
  return list.map((id: unknown, i) => {
    if (typeof id === 'number' && Number.isInteger(id) && id >= 0 && id < textTokens) return id;
    throw wrong(`${target}[${i}]`, 'must be the id of a text token of the encoding cl100k_base');
  });
}

/** Stands behind every list, so that no half character stays in the tokenizer's decoder for the next request. */
const end = '😀';

async function decoded(ids: number[]): Promise<string> {
  const { decode, encode } = await import('gpt-tokenizer/encoding/cl100k_base');
  return decode([...ids, ...encode(end)]).slice(0, -end.length);
}

const wrong = (target: string, rule: string): ApiError =>
  invalidPayload(target, `Invalid value for '${target}': ${rule}.`);
