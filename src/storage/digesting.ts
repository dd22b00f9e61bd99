import { createHash } from 'node:crypto';
import { type DigestStream, openDigestStream } from './digest-thread.ts';

export type Digest = 'sha256' | 'md5';

/** Hexadecimal; of those that were asked for. */
export type Digests = Partial<Record<Digest, string>>;

/**
 * Hashes what is written: a little of it at the end and at once, much of it on a thread of its own as it comes, since
 * half a gigabyte would keep this one from everybody else for half a second.
 */
export class Digesting {
  readonly #names: readonly Digest[];
  #added: { bytes: Uint8Array; hashed: Promise<void> | null }[] = [];
  #stream: DigestStream | null = null;

  constructor(names: readonly Digest[]) {
    this.#names = names;
  }

  /** Adds bytes that lie in shared memory. They must stay as they are until they were waited for. */
  add(bytes: Uint8Array): void {
    if (this.#names.length > 0) this.#added.push({ bytes, hashed: this.#stream?.add(bytes) ?? null });
  }

  /** Settles when what was added first, and not waited for yet, may be overwritten. */
  async oldest(): Promise<void> {
    if (this.#names.length === 0) return;
    if (this.#stream === null) {
      this.#stream = openDigestStream(this.#names);
      for (const one of this.#added) one.hashed = this.#stream.add(one.bytes);
    }
    await this.#added.shift()?.hashed;
  }

  async finish(): Promise<Digests> {
    return this.#stream === null
      ? digestsOf(
          this.#names,
          this.#added.map(({ bytes }) => bytes),
        )
      : await this.#stream.finish();
  }

  /** Lets go of what was not finished. */
  abandon(): void {
    this.#stream?.close();
  }
}

function digestsOf(names: readonly Digest[], all: Uint8Array[]): Digests {
  const hashes = names.map((name) => [name, createHash(name)] as const);
  for (const bytes of all) for (const [, hash] of hashes) hash.update(bytes);
  return Object.fromEntries(hashes.map(([name, hash]) => [name, hash.digest('hex')]));
}
