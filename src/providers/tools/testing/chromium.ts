import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Chromium {
  /** Where it is spoken to by the DevTools protocol. */
  url: string;
  close(): Promise<void>;
}

/** Whether this machine has a Chromium. */
export function hasChromium(): boolean {
  try {
    execFileSync('chromium', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** A Chromium of a test's own, without a window. */
export async function chromium(): Promise<Chromium> {
  const directory = mkdtempSync(join(tmpdir(), 'bloomery-chromium-'));
  const child = spawn(
    'chromium',
    [
      ...['--headless=new', '--no-sandbox', '--disable-gpu', '--no-first-run', '--remote-debugging-port=0'],
      `--user-data-dir=${directory}`,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const found = Promise.withResolvers<string>();
  let said = '';
  child.stderr.on('data', (chunk) => {
    said += chunk;
    const url = /DevTools listening on (ws:\S+)/.exec(said)?.[1];
    if (url !== undefined) found.resolve(url);
  });
  child.once('exit', () => found.reject(new Error(`Chromium has ended: ${said.slice(-1000)}`)));
  found.promise.catch(() => {});
  return {
    url: await found.promise,
    async close() {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGKILL');
        await once(child, 'exit');
      }
      rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
