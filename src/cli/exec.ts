import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { startServer } from '../server.ts';
import { codeOf } from '../trust/durable-file.ts';
import { type Arguments, UsageError } from './arguments.ts';
import { clientEnvironment, programEnvironment } from './client-environment.ts';
import { loadConfiguration } from './configuration.ts';
import { exitCodes } from './exit-codes.ts';
import { CommandError } from './failure.ts';
import { type EndingSignal, onEndingSignal, signalExitCode } from './signals.ts';

export async function exec({ values, program }: Arguments<'exec'>): Promise<number> {
  const [command, ...commandArguments] = program;
  if (command === undefined) throw new UsageError("Which command? Put it after '--'.", 'exec');
  const config = loadConfiguration(values.config, values.project, false);

  const signals = relaySignals();
  const dataDirectory = values.data === null ? temporaryDirectory() : resolve(values.data);
  const server = await startServer({
    port: values.port,
    host: values.host,
    dataDirectory,
    config,
    apiKey: values['api-key'],
    logLevel: values['log-level'],
    faults: values.faults,
    isTemporary: values.data === null,
  });
  try {
    if (signals.early !== null) return signalExitCode(signals.early);
    const variables = clientEnvironment(server, values.deployment);
    const child = spawn(command, commandArguments, {
      stdio: 'inherit',
      env: programEnvironment(process.env, variables),
    });
    signals.relayTo(child);
    return await exitCodeOf(child, command);
  } finally {
    await server.close();
    signals.release();
  }
}

/** Removed whichever way the process ends, short of being killed. */
function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'bloomery-exec-'));
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** What asks us to end asks the program: its end is ours. */
function relaySignals() {
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
