import { pieceReader, rememberingTokenizer, type Tokenizer } from './pieces.ts';

const asPlainText = { disallowedSpecial: new Set<string>() };

/**
 * `o200k_base`, the nearest public tokenizer for a model whose own is not known. Imported when it is needed: it carries
 * its vocabulary. `slots`, of 64 bytes, are for words that it knows again.
 */
export async function loadTokenizer(slots: 65_536 | 131_072 = 131_072): Promise<Tokenizer> {
  const { countTokens } = await import('gpt-tokenizer/encoding/o200k_base');
  const { O200K_TOKEN_SPLIT_REGEX } = await import('gpt-tokenizer/encodingParams/constants');
  const count = (text: string): number => countTokens(text, asPlainText);
  return rememberingTokenizer(O200K_TOKEN_SPLIT_REGEX, count, slots);
}

/** How many tokens a text has; where a run has to be cut to be counted, one more perhaps. */
export function tokensIn(text: string, tokenizer: Tokenizer): number {
  const next = pieceReader(text, 0, tokenizer);
  let total = 0;
  for (let piece = next(); piece !== null; piece = next()) total += piece.tokens;
  return total;
}
