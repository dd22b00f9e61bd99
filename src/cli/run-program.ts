import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { codeOf } from '../trust/durable-file.ts';
import { programEnvironment } from './client-environment.ts';
import { exitCodes } from './exit-codes.ts';
import { CommandError } from './failure.ts';
import { type EndingSignal, onEndingSignal, signalExitCode } from './signals.ts';

/** Runs a program with the variables that lead it to a server; its exit code. */
export async function runProgram(
  [command = '', ...commandArguments]: readonly string[],
  variables: Record<string, string>,
  signals: ReturnType<typeof relaySignals>,
): Promise<number> {
  if (signals.early !== null) return signalExitCode(signals.early);
  const child = spawn(command, commandArguments, {
    stdio: 'inherit',
    env: programEnvironment(process.env, variables),
  });
  signals.relayTo(child);
  return await exitCodeOf(child, command);
}

/** Removed whichever way the process ends, short of being killed. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'bloomery-exec-'));
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** What asks us to end asks the program: its end is ours. */
export function relaySignals() {
  let child: ChildProcess | null = null;
  const relay = {
    /** A signal from before there was a program. */
    early: null as EndingSignal | null,
    relayTo(started: ChildProcess) {
      child = started;
    },
    release: onEndingSignal((signal) => {
      if (child === null) relay.early ??= signal;
      // A terminal sends Ctrl-C to the program as well, and many programs take a second one for "at once".
      else if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    }),
  };
  return relay;
}

function exitCodeOf(child: ChildProcess, command: string): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', (error) => reject(notRun(command, error)));
    child.once('exit', (code, signal) =>
      resolve(signal === null ? (code ?? exitCodes.failure) : signalExitCode(signal)),
    );
  });
}

function notRun(command: string, error: Error): Error {
  if (codeOf(error) === 'ENOENT') {
    return new CommandError(exitCodes.commandNotFound, `${command}: command not found`);
  }
  return new CommandError(exitCodes.commandNotExecutable, `${command}: cannot be run: ${error.message}`);
}
