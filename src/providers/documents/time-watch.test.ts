import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { watchTime } from './time-watch.ts';

async function endOf(program: string, seconds: number): Promise<string> {
  const child = spawn(process.execPath, ['-e', program]);
  const stop = watchTime(child.pid ?? 0, seconds, () => child.kill('SIGKILL'));
  const [code, signal] = await once(child, 'exit');
  stop();
  return String(signal ?? code);
}

test('a process that computes for ever is told of, one that waits longer than it may compute is not', async () => {
  expect(await endOf('for (;;);', 0.4)).toBe('SIGKILL');
  const isTold = process.platform === 'linux';
  expect(await endOf('setTimeout(() => {}, 1500)', 1)).toBe(isTold ? '0' : 'SIGKILL');
});

test('one that waits for ever is told of, too', async () => {
  expect(await endOf('setInterval(() => {}, 1000)', 0.3)).toBe('SIGKILL');
});
