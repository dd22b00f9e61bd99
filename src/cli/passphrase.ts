import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { exitCodes } from './exit-codes.ts';
import { CommandError } from './failure.ts';

export const passphraseVariable = 'BLOOMERY_PASSPHRASE';

/** Never an argument, which everybody on the machine could see. A new one is asked for twice. */
export async function passphrase(isNew: boolean): Promise<string> {
  const given = process.env[passphraseVariable];
  if (given) return given;
  if (!process.stdin.isTTY) {
    throw new CommandError(
      exitCodes.usage,
      `The secrets of the archive ${isNew ? 'are to be' : 'were'} sealed under a passphrase: put it into ${passphraseVariable}.`,
    );
  }
  const typed = await asked('Passphrase: ');
  if (isNew && (await asked('Once more: ')) !== typed) {
    throw new CommandError(exitCodes.usage, 'The two are not the same.');
  }
  return typed;
}

/** What is typed is not shown. */
async function asked(question: string): Promise<string> {
  process.stderr.write(question);
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface({ input: process.stdin, output: nowhere, terminal: true });
  try {
    return await terminal.question('');
  } finally {
    terminal.close();
    process.stderr.write('\n');
  }
}
