/** A server for the length of a test run, as a process of its own. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { type Server, serverAt } from './server.ts';
import { serverVariables, type Variables } from './variables.ts';

export interface ServerOptions {
  /** A `bloomery.yaml`, or what would stand in one. Without it the only model is `builtin`. */
  config?: string | Record<string, unknown>;
  /** A data directory to use and to keep; a temporary one unless given. */
  data?: string;
  /** How long the server may take until it is ready; 30 seconds unless given. */
  readyMs?: number;
}

export interface StartedServer extends Server, AsyncDisposable {
  /** Ends the server and removes its data. It ends as well when this process does. */
  stop(): Promise<void>;
}

const bloomery = fileURLToPath(new URL('../../bin/bloomery.js', import.meta.url));
/**
 * `exec` keeps the server for as long as its program runs. This one tells what it was told, and ends with its input,
 * which ends with the process that wants the server, however that one ends.
 */
const program = `process.on('SIGINT', () => {});
process.stdout.write(JSON.stringify(process.env) + '\\n');
process.stdin.resume();`;
const usualReadyMilliseconds = 30_000;
const stopMilliseconds = 20_000;
const keptOfLog = 4000;

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

export async function startServer({ config, data, readyMs }: ServerOptions = {}): Promise<StartedServer> {
  const own = mkdtempSync(join(tmpdir(), 'bloomery-testing-'));
  try {
    const file = typeof config === 'object' ? written(config, own) : config;
    const options = [...(file ? ['--config', file] : []), ...(data ? ['--data', data] : [])];
    const child = spawn(
      process.execPath,
      [bloomery, 'exec', ...options, '--', process.execPath, '-e', program],
      { stdio: ['pipe', 'pipe', 'pipe'] },
    );
    const exited = once(child, 'exit');
    const variables = await whenReady(child, readyMs ?? usualReadyMilliseconds);
    holdNobodyBack(child);
    const stop = stopper(child, exited);
    return { ...serverAt(variables), stop, [Symbol.asyncDispose]: stop };
  } finally {
    rmSync(own, { recursive: true, force: true });
  }
}

function written(config: Record<string, unknown>, directory: string): string {
  const file = join(directory, 'bloomery.yaml');
  // JSON is YAML.
  writeFileSync(file, JSON.stringify(config));
  return file;
}

async function whenReady(child: Child, milliseconds: number): Promise<Variables> {
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log = (log + text).slice(-keptOfLog);
  });
  // The program's end is told by its exit; writing to it then is no error of its own.
  child.stdin.on('error', () => {});
  const impatience = AbortSignal.timeout(milliseconds);
  const lines = createInterface({ input: child.stdout });
  const [first, failure] = await Promise.race([
    once(lines, 'line', { signal: impatience }).then(
      ([line]): [string, null] => [String(line), null],
      (): [null, string] => [null, `was not ready within ${milliseconds / 1000} s`],
    ),
    once(child, 'close').then(([code]): [null, string] => [null, `ended with exit code ${code}`]),
  ]);
  if (first !== null) return serverVariables(JSON.parse(first));
  // By a signal that it hears, so that its data goes with it.
  child.kill('SIGTERM');
  setTimeout(() => child.kill('SIGKILL'), stopMilliseconds).unref();
  holdNobodyBack(child);
  throw new Error(`The Bloomery server ${failure}. It said:\n${log.trim() || '(nothing)'}`);
}

/** A server that was forgotten must not keep its tests alive. */
function holdNobodyBack(child: Child): void {
  child.unref();
  for (const pipe of [child.stdin, child.stdout, child.stderr]) (pipe as { unref?(): void }).unref?.();
}

function stopper(child: Child, exited: Promise<unknown>): () => Promise<void> {
  let stopped: Promise<void> | undefined;
  return () => {
    stopped ??= (async () => {
      child.ref();
      const kill = setTimeout(() => child.kill('SIGKILL'), stopMilliseconds);
      child.stdin.end();
      await exited;
      clearTimeout(kill);
    })();
    return stopped;
  };
}
