import { countTextTokens } from '../token-count.ts';

export interface Cut {
  text: string;
  tokens: number;
  /** Whether anything was left out. */
  short: boolean;
}

/** `text` up to its first `most` tokens. */
export async function cutToTokens(text: string, most: number): Promise<Cut> {
  const tokens = await countTextTokens([text]);
  if (tokens <= most) return { text, tokens, short: false };
  return { text: await firstTokens(text, most), tokens: most, short: true };
}

/** The longest beginning of `text` that has no more tokens; whole characters, so that it may have one fewer. */
async function firstTokens(text: string, most: number): Promise<string> {
  // The tokenizer's own decoder keeps the rest of a cut character for the next text, so it is not used.
  const characters = [...text];
  let fits = 0;
  let over = characters.length;
  while (over - fits > 1) {
    const middle = fits + Math.ceil((over - fits) / 2);
    const tokens = await countTextTokens([characters.slice(0, middle).join('')]);
    if (tokens <= most) fits = middle;
    else over = middle;
  }
  return characters.slice(0, fits).join('');
}
