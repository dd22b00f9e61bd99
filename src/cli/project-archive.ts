import { createWriteStream, openAsBlob } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { FormData } from 'undici';
import type { ApiSession } from './api-session.ts';
import { exitCodes } from './exit-codes.ts';
import { CommandError } from './failure.ts';
import { passphrase } from './passphrase.ts';

const reportMilliseconds = 1000;

/** Writes an archive to a file, which has its name once it is whole; answers its bytes. */
export async function saveArchive(
  { request }: ApiSession,
  path: string,
  file: string,
  passphrase: string | null,
): Promise<number> {
  const reply =
    passphrase === null
      ? await request(`${path}:export`, { method: 'GET' })
      : await request(`${path}:exportWithSecrets`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ passphrase }),
        });
  const part = `${file}.part`;
  const report = progress('received');
  try {
    await pipeline(
      reply.body ?? [],
      async function* (source: AsyncIterable<Uint8Array>) {
        for await (const chunk of source) {
          report.add(chunk.length);
          yield chunk;
        }
      },
      createWriteStream(part, { mode: 0o600 }),
    );
    await rename(part, file);
    return report.end();
  } catch (error) {
    await rm(part, { force: true });
    throw new CommandError(exitCodes.failure, `${file} was not written: ${(error as Error).message}`);
  }
}

/** Sends the archive in a file. */
export async function sendArchive({ request }: ApiSession, path: string, file: string): Promise<unknown> {
  let archive: Blob;
  try {
    archive = await openAsBlob(file);
  } catch (error) {
    throw new CommandError(exitCodes.failure, `${file} cannot be read: ${(error as Error).message}`);
  }
  const form = new FormData();
  if (await hasSecrets(archive)) form.set('passphrase', await passphrase(false));
  form.set('file', archive, 'project.tar');
  const sending = setInterval(
    () => process.stderr.write(`sending ${megabytes(archive.size)}\n`),
    10_000,
  ).unref();
  try {
    return await (await request(path, { method: 'POST', body: form })).json();
  } finally {
    clearInterval(sending);
  }
}

const tarBlock = 512;

/** The first entry of an archive says so. What is none is left to the server to refuse. */
async function hasSecrets(archive: Blob): Promise<boolean> {
  const start = await archive.slice(tarBlock, 8 * tarBlock).text();
  try {
    return JSON.parse(start.slice(0, start.indexOf('\0'))).secrets !== undefined;
  } catch {
    return false;
  }
}

/** Tells now and then, where it takes long. */
function progress(what: string) {
  let bytes = 0;
  const timer = setInterval(() => process.stderr.write(`${what} ${megabytes(bytes)}\n`), reportMilliseconds);
  timer.unref();
  return {
    add(more: number): void {
      bytes += more;
    },
    end(): number {
      clearInterval(timer);
      return bytes;
    },
  };
}

export const megabytes = (bytes: number): string => `${(bytes / 1_048_576).toFixed(1)} MB`;
