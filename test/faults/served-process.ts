import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** A server in a process of its own, as users run it. */
export interface ServedProcess {
  /** `http://127.0.0.1:PORT/api/projects/default` */
  base: string;
  apiKey: string;
  /** Ends it at once, as `kill -9` does; settles when the process is gone. */
  kill(): Promise<void>;
  /** Asks it to end, and throws unless it ends well. */
  stop(): Promise<void>;
}

const bloomery = join(import.meta.dirname, '../../bin/bloomery.js');
const withTool = join(import.meta.dirname, 'serve-with-tool.ts');
const scenarios = join(import.meta.dirname, 'scenarios.yaml');
const readyMilliseconds = 30_000;

/** Starts `serve` on `directory/data`, with the scenarios of this folder unless told otherwise; with a tool of its own where that is asked for. */
export async function startProcess(
  directory: string,
  { tool = false, scripted = true }: { tool?: boolean; scripted?: boolean } = {},
): Promise<ServedProcess> {
  const config = join(directory, 'bloomery.yaml');
  writeFileSync(config, JSON.stringify({ discovery: false, scenarios: scripted ? [scenarios] : [] }));
  const data = join(directory, 'data');
  const options = ['--port', '0', '--data', data, '--config', config, '--log-level', 'warn'];
  const program = tool ? [withTool, data, config] : [bloomery, 'serve', '--json', ...options];
  const child = spawn(process.execPath, program, { stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  let complaints = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints = (complaints + text).slice(-4000);
  });
  const line = await Promise.race([
    once(createInterface({ input: child.stdout }), 'line', {
      signal: AbortSignal.timeout(readyMilliseconds),
    }),
    exited.then(() => null),
  ]).catch(() => null);
  if (line === null) {
    child.kill('SIGKILL');
    throw new Error(`The server did not become ready.\n${complaints}`);
  }
  const ready = JSON.parse(String(line[0])) as { endpoint: string; apiKey: string };
  const { port, pathname } = new URL(ready.endpoint);
  return {
    base: `http://127.0.0.1:${port}${pathname}`,
    apiKey: ready.apiKey,
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
    async stop() {
      child.kill('SIGTERM');
      const [code] = await exited;
      if (code !== 0) throw new Error(`The server ended with ${code}.\n${complaints}`);
    },
  };
}
