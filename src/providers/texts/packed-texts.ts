/** Texts in UTF-8, one behind the other: held and handed to another thread at next to no cost, however many. */
export interface PackedTexts {
  bytes: Uint8Array;
  /** Of each text, in UTF-16 code units. */
  lengths: Uint32Array;
}

/** What is half of a character is replaced. */
export function packTexts(texts: readonly string[]): PackedTexts {
  return {
    bytes: Buffer.from(texts.map((text) => text.toWellFormed()).join('')),
    lengths: Uint32Array.from(texts, ({ length }) => length),
  };
}

export function unpackTexts({ bytes, lengths }: PackedTexts): string[] {
  const { buffer, byteOffset, byteLength } = bytes;
  const own = Buffer.from(buffer, byteOffset, byteLength);
  const units = lengths.reduce((sum, length) => sum + length, 0);
  // As many bytes as units: all of it is ASCII.
  const isPlain = units === byteLength;
  const whole = isPlain ? '' : own.toString('utf8');
  let at = 0;
  return Array.from(lengths, (length) => {
    const start = at;
    at += length;
    return isPlain ? own.toString('latin1', start, at) : whole.slice(start, at);
  });
}
