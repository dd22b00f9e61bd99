import type { Tokenizer } from '../texts/pieces.ts';
import { loadTokenizer, tokensIn } from '../texts/tokenizer.ts';
import type { ModelRequest } from './model.ts';

type Countable = Pick<ModelRequest, 'messages' | 'tools' | 'outputFormat'>;

/** What chat formats put around each message, and around the whole, by OpenAI's published rule of thumb. */
const perMessage = 3;
const perRequest = 3;
/** A picture's cost depends on its size and the model; this is the middle of what providers charge. */
const perImage = 765;

/** Tokens of a request by `o200k_base`, the nearest public tokenizer for a model whose own is not known. */
export async function countRequestTokens(request: Countable): Promise<number> {
  const texts: string[] = [];
  let fixed = perRequest;
  for (const message of request.messages) {
    fixed += perMessage;
    if (message.role === 'system') texts.push(message.content);
    else if (message.role === 'tool') texts.push(message.output);
    else {
      for (const part of message.content) {
        if (part.type === 'image') fixed += perImage;
        else if (part.type === 'tool_call') texts.push(part.name, part.arguments);
        else if (part.type === 'file') texts.push(fileText(part.url));
        else texts.push(part.text);
      }
    }
  }
  if (request.tools.length > 0) texts.push(JSON.stringify(request.tools));
  if (request.outputFormat.type === 'json_schema') texts.push(JSON.stringify(request.outputFormat.schema));
  return fixed + (await countTextTokens(texts));
}

/** A document's text where it is one; of other documents only the provider knows what they cost. */
function fileText(url: string): string {
  const text = /^data:(text\/[^;,]*|application\/json)[^,]*;base64,/.exec(url);
  return text === null ? '' : Buffer.from(url.slice(text[0].length), 'base64').toString('utf8');
}

let loading: Promise<Tokenizer> | undefined;

export async function countTextTokens(texts: string[]): Promise<number> {
  loading ??= loadTokenizer(65_536);
  const tokenizer = await loading;
  let total = 0;
  for (const text of texts) total += remembered.get(text) ?? count(text, tokenizer);
  return total;
}

/** Counts of short texts: instructions and histories come again with every turn. */
const remembered = new Map<string, number>();
const mostRemembered = 2000;
const longestRemembered = 2000;

function count(text: string, tokenizer: Tokenizer): number {
  const total = tokensIn(text, tokenizer);
  if (text.length <= longestRemembered) {
    if (remembered.size >= mostRemembered) remembered.delete(remembered.keys().next().value as string);
    remembered.set(text, total);
  }
  return total;
}
