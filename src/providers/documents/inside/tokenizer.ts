import { rememberingTokenizer, type Tokenizer } from './pieces.ts';

const asPlainText = { disallowedSpecial: new Set<string>() };

/** The one that `token-count.ts` counts with, imported when it is needed: it carries its vocabulary. */
export async function loadTokenizer(): Promise<Tokenizer> {
  const { countTokens } = await import('gpt-tokenizer/encoding/o200k_base');
  const { O200K_TOKEN_SPLIT_REGEX } = await import('gpt-tokenizer/encodingParams/constants');
  return rememberingTokenizer(O200K_TOKEN_SPLIT_REGEX, (text) => countTokens(text, asPlainText));
}
