import { closeSync, fsyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { type Exchange, formatVersion, mostExchanges, mostFileBytes } from './format.ts';
import { RecordingError } from './recording.ts';
import { quotaExceeded } from './refusals.ts';

/** A recording that is being made. */
export class RecordingFile {
  readonly #file: string;
  readonly #handle: number;
  readonly #startedAt = performance.now();
  #bytes = 0;
  #numbers = 0;
  #isFull = false;
  readonly #mostBytes: number;
  written = 0;

  /** Made anew and for its owner only: what is said in it is not for everybody. */
  constructor(file: string, base: string, mostBytes = mostFileBytes) {
    this.#mostBytes = mostBytes;
    this.#file = file;
    try {
      this.#handle = openSync(file, 'wx', 0o600);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      throw new RecordingError(
        code === 'EEXIST'
          ? `${file} exists already. Name another file with --out, or delete it.`
          : `${file} cannot be written: ${message}`,
      );
    }
    this.#append({ bloomery_recording: formatVersion, base, recordedAt: new Date().toISOString() });
  }

  /** The number of the next exchange, and when it began. Throws where no more are taken. */
  begin(): { number: number; at: number } {
    if (this.#numbers === mostExchanges || this.#isFull) throw quotaExceeded();
    this.#numbers++;
    return { number: this.#numbers, at: this.now() };
  }

  now(): number {
    return rounded(performance.now() - this.#startedAt);
  }

  /** Throws where it would be more than can be read. In the file when this returns, so a recorder that is killed loses only what has not ended. */
  write(exchange: Exchange): void {
    this.#append(exchange);
    this.written++;
  }

  #append(line: object): void {
    const bytes = Buffer.from(`${JSON.stringify(line)}\n`);
    if (this.#bytes + bytes.length > this.#mostBytes) {
      this.#isFull = true;
      throw quotaExceeded();
    }
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#handle, bytes, at);
    this.#bytes += bytes.length;
  }

  /** Takes it away again: nobody could send anything. */
  discard(): void {
    closeSync(this.#handle);
    rmSync(this.#file, { force: true });
  }

  close(): void {
    fsyncSync(this.#handle);
    closeSync(this.#handle);
  }
}

/** Tenths of a millisecond. */
export const rounded = (milliseconds: number): number => Math.round(milliseconds * 10) / 10;
