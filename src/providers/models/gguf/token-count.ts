import { setImmediate } from 'node:timers/promises';
import { apiError } from '../../../errors.ts';
import type { ChatCall } from './chat-call.ts';
import type { LoadedModel } from './loaded-model.ts';
import type { ChatItem, LlamaModel, Token } from './node-llama-cpp.ts';

/** Characters that are tokenized in one go; the thread that serves everybody does it. */
export const charactersAtOnce = 32_768;

/** The whole prompt of a call, by the model's own template and tokenizer. */
export function promptTokens({ model }: LoadedModel, { wrapper, history, functions }: ChatCall): Token[] {
  const { contextText } = wrapper.generateContextState({
    chatHistory: history,
    ...(functions === null ? {} : { availableFunctions: functions }),
  });
  return contextText.tokenize(model.tokenizer);
}

/** The same as a number. What is far too long for any context is counted in pieces, and so a few tokens too high. */
export async function countPrompt(loaded: LoadedModel, call: ChatCall): Promise<number> {
  const texts = textsOf(call);
  if (lengthOf(texts) <= charactersAtOnce) return promptTokens(loaded, call).length;
  return countInPieces(loaded.model, texts);
}

/** Throws `context_length_exceeded` unless the prompt and one token more fit. */
export async function fittingPrompt(loaded: LoadedModel, call: ChatCall): Promise<Token[]> {
  const texts = textsOf(call);
  if (lengthOf(texts) > charactersAtOnce) {
    const about = await countInPieces(loaded.model, texts, loaded.contextTokens * 2);
    if (about > loaded.contextTokens * 1.1) throw tooLong(loaded, `at least ${loaded.contextTokens}`);
  }
  const tokens = promptTokens(loaded, call);
  if (tokens.length > loaded.contextTokens - 2) throw tooLong(loaded, String(tokens.length));
  return tokens;
}

/** Counts as far as `enough`, a few tokens too high, and lets others have their turn in between. */
export async function countInPieces(
  model: LlamaModel,
  texts: string[],
  enough = Number.POSITIVE_INFINITY,
): Promise<number> {
  let total = 0;
  for (const text of texts) {
    for (let at = 0; at < text.length && total < enough; at += charactersAtOnce) {
      total += model.tokenize(text.slice(at, at + charactersAtOnce)).length;
      await setImmediate();
    }
  }
  return total;
}

const lengthOf = (texts: string[]): number => texts.reduce((sum, { length }) => sum + length, 0);

const textsOf = ({ history, functions }: ChatCall): string[] => [
  JSON.stringify(functions ?? {}),
  ...historyTexts(history),
];

const historyTexts = (history: ChatItem[]): string[] =>
  history.flatMap((item) =>
    item.type !== 'model'
      ? item.text
      : item.response.map((part) =>
          typeof part === 'string'
            ? part
            : part.type === 'segment'
              ? part.text
              : JSON.stringify([part.name, part.params, part.result]),
        ),
  );

const tooLong = ({ deployment, contextTokens }: LoadedModel, tokens: string) =>
  apiError(
    'context_length_exceeded',
    `The input has ${tokens} tokens, and deployment '${deployment}' takes ${contextTokens} with its answer. ` +
      'Shorten the input, start a new conversation, or raise `contextTokens` of the deployment in bloomery.yaml.',
    { target: 'input' },
  );
