import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');

/** Runs a program as a user would: on a server of its own, found through the environment alone. */
async function exec(...command: string[]): Promise<{ code: number; output: string }> {
  const bloomery = [join(root, 'bin/bloomery.js'), 'exec', '--project', 'e2e', '--', ...command];
  const child = spawn(process.execPath, bloomery, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
  }
  const [code] = await once(child, 'close');
  return { code, output };
}

test('the official JavaScript clients, over TLS and with DefaultAzureCredential', {
  timeout: 180_000,
}, async () => {
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const config = join(import.meta.dirname, 'javascript/vitest.config.ts');
  const { code, output } = await exec(
    process.execPath,
    vitest,
    'run',
    '--config',
    config,
    '--reporter=verbose',
  );
  expect([code, code === 0 ? '' : output]).toEqual([0, '']);
  expect(output).toMatch(/Tests\s.*passed/);
});
