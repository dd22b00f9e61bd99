import { resolve } from 'node:path';
import { type RunFile, readRunFile } from '../trust/run-file.ts';
import { exitCodes } from './exit-codes.ts';
import { CommandError } from './failure.ts';
import { invocation } from './invocation.ts';

/** The server that runs on a data directory. */
export function runningServer(dataDirectory: string): RunFile {
  const directory = resolve(dataDirectory);
  const server = readRunFile(directory);
  if (server !== null) return server;
  throw new CommandError(
    exitCodes.noServer,
    `No server runs on the data directory ${directory}. Start one with \`${invocation()} serve\`, or name the directory of the running one with --data.`,
  );
}
