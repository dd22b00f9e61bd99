import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect } from 'vitest';

const bloomery = join(import.meta.dirname, '../../bin/bloomery.js');

/** Runs `bloomery purge` on the data of a stopped server; answers what it says is left, and where a text is. */
export function purge(directory: string, ...options: string[]): { left: string[]; found: unknown[] } {
  const common = ['purge', '--json', '--data', join(directory, 'data')];
  const given = [...common, '--config', join(directory, 'bloomery.yaml'), ...options];
  const { stdout, stderr, status } = spawnSync(process.execPath, [bloomery, ...given], { encoding: 'utf8' });
  if (stdout === '') throw new Error(`purge ended with ${status}: ${stderr}`);
  const { ok, checks, found } = JSON.parse(stdout) as {
    ok: boolean;
    checks: { what: string; left: number }[];
    found: unknown[];
  };
  expect(status).toBe(ok ? 0 : 1);
  return {
    left: checks.filter(({ left }) => left > 0).map(({ what, left }) => `${left} ${what}`),
    found,
  };
}
