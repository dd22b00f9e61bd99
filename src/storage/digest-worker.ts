import { createHash, type Hash } from 'node:crypto';
import { parentPort } from 'node:worker_threads';

/** `names` begins a content; `bytes` and `end` are answered, in their order; `drop` forgets it. */
export type DigestCall =
  | { id: number; names: string[] }
  | { id: number; bytes: Uint8Array }
  | { id: number; end: true }
  | { id: number; drop: true };

/** Hexadecimal digests by name, for an `end`. */
export interface DigestAnswer {
  digests: Record<string, string> | null;
}

const contents = new Map<number, { name: string; hash: Hash }[]>();

parentPort?.on('message', (call: DigestCall) => {
  const hashes = contents.get(call.id) ?? [];
  if ('names' in call) {
    contents.set(
      call.id,
      call.names.map((name) => ({ name, hash: createHash(name) })),
    );
  } else if ('bytes' in call) {
    for (const { hash } of hashes) hash.update(call.bytes);
    answer(null);
  } else if ('end' in call) {
    answer(Object.fromEntries(hashes.map(({ name, hash }) => [name, hash.digest('hex')])));
  } else {
    contents.delete(call.id);
  }
});

const answer = (digests: DigestAnswer['digests']): void => parentPort?.postMessage({ digests });
