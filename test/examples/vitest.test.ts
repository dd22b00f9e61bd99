import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';

const checkout = join(import.meta.dirname, '../..');
const installed = realpathSync(join(checkout, 'node_modules'));

/** The example as its user has it: a folder elsewhere, with what its package names installed. */
function installedExample(): string {
  const folder = mkdtempSync(join(tmpdir(), 'bloomery-example-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  cpSync(join(checkout, 'examples/vitest'), folder, { recursive: true });
  const modules = join(folder, 'node_modules');
  mkdirSync(join(modules, '@azure'), { recursive: true });
  symlinkSync(checkout, join(modules, 'bloomery'));
  for (const name of ['@azure/ai-projects', 'vitest'])
    symlinkSync(join(installed, name), join(modules, name));
  return folder;
}

test('the example for Vitest passes, on a server of its own', { timeout: 90_000 }, async () => {
  const child = spawn(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', '--reporter=verbose'], {
    cwd: installedExample(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [out, err, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  expect([code, code === 0 ? '' : out + err]).toEqual([0, '']);
  expect(out).toMatch(/Tests .*3 passed/);
});
