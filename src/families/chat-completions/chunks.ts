import { randomBytes } from 'node:crypto';
import { type Envelope, unfinished } from './completion.ts';
import { usageObject } from './contract.ts';
import { type Delta, type Finish, isFinish } from './deltas.ts';
import { dataFrame, doneFrame } from './frames.ts';

export interface ChunkOptions {
  /** One more chunk at the end, with the usage. */
  includeUsage: boolean;
  /** Pads every chunk, so that its size does not tell the length of its text. */
  obfuscate: boolean;
}

/** The frames of a streamed completion. */
export async function* chunkFrames(
  envelope: Envelope,
  pieces: AsyncIterable<Delta | Finish>,
  { includeUsage, obfuscate }: ChunkOptions,
): AsyncGenerator<string> {
  const { id, created, model, ...tier } = envelope;
  const head = { id, object: 'chat.completion.chunk', created, model, ...tier };
  const usage = includeUsage ? { usage: null } : {};
  const chunk = (delta: Delta, finish_reason: string | null = null): string => {
    const padding = obfuscate ? { obfuscation: padded(delta) } : {};
    const choices = [{ index: 0, delta, logprobs: null, finish_reason }];
    return dataFrame({ ...head, choices, ...usage, ...padding });
  };

  let finish: Finish | null = null;
  for await (const piece of pieces) {
    if (isFinish(piece)) finish = piece;
    else yield chunk(piece);
  }
  if (finish === null) throw unfinished(model);
  yield chunk({}, finish.reason);
  if (includeUsage) {
    const padding = obfuscate ? { obfuscation: padded({}) } : {};
    yield dataFrame({ ...head, choices: [], usage: usageObject(finish.usage), ...padding });
  }
  yield doneFrame;
}

const paddedLength = 128;

/** Random text that brings a delta to the next multiple of a fixed length. */
export function padded(delta: object): string {
  const missing = paddedLength - (Buffer.byteLength(JSON.stringify(delta)) % paddedLength);
  return randomBytes(Math.ceil(missing / 2))
    .toString('hex')
    .slice(0, missing);
}
