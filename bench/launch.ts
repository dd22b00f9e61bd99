import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

export interface Launched {
  /** The line of JSON that the server printed when it was ready. */
  ready: Record<string, unknown>;
  /** From the spawn to that line. */
  milliseconds: number;
  pid: number;
  /** Asks the server to end and waits for it. */
  stop(): Promise<void>;
}

const readyMilliseconds = 30_000;
const stopMilliseconds = 15_000;
const keptComplaints = 4000;

const running = new Set<ChildProcess>();

/** Starts a Node program as its own process and waits until it prints its ready line. */
export async function launch(program: string[]): Promise<Launched> {
  const startedAt = performance.now();
  const child = spawn(process.execPath, program, { stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  const exited = once(child, 'exit').finally(() => running.delete(child));
  let complaints = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints = (complaints + text).slice(-keptComplaints);
  });
  const failed = (what: string) => new Error(`${program.join(' ')} ${what}.\n${complaints}`);

  const impatience = AbortSignal.timeout(readyMilliseconds);
  const line = await Promise.race([
    once(createInterface({ input: child.stdout }), 'line', { signal: impatience }).catch(() => null),
    exited.then(() => null),
  ]);
  const milliseconds = performance.now() - startedAt;
  if (line === null) {
    child.kill('SIGKILL');
    throw failed(impatience.aborted ? 'did not become ready' : 'ended before it was ready');
  }
  return {
    ready: JSON.parse(String(line[0])),
    milliseconds,
    pid: child.pid ?? 0,
    async stop() {
      const kill = setTimeout(() => child.kill('SIGKILL'), stopMilliseconds);
      child.kill('SIGTERM');
      await exited;
      clearTimeout(kill);
    },
  };
}

/** For the end of this process, however it comes. */
export function killLaunched(): void {
  for (const child of running) child.kill('SIGKILL');
}
