import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { writeRunFile } from '../trust/run-file.ts';
import { DataDirectoryInUseError, isDataDirectoryLocked, lockDataDirectory } from './data-lock.ts';

let parent: string;
let directory: string;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'bloomery-test-'));
  directory = join(parent, 'data');
});
afterEach(() => rmSync(parent, { recursive: true, force: true }));

async function holdElsewhere() {
  const module = new URL('./data-lock.ts', import.meta.url).href;
  const program = `import { lockDataDirectory } from ${JSON.stringify(module)};
    lockDataDirectory(${JSON.stringify(directory)});
    gc();
    process.stdout.write('locked');
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--expose-gc', '--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  return child;
}

test('the second is refused until the first lets go', () => {
  const first = lockDataDirectory(directory);
  expect(isDataDirectoryLocked(directory)).toBe(true);
  expect(() => lockDataDirectory(directory)).toThrow(DataDirectoryInUseError);
  expect(isDataDirectoryLocked(directory)).toBe(true);
  first.release();
  first.release();
  expect(isDataDirectoryLocked(directory)).toBe(false);
  lockDataDirectory(directory).release();
  expect(readdirSync(directory)).toEqual(['lock']);
});

test('a directory that was there keeps its mode', () => {
  mkdirSync(directory);
  chmodSync(directory, 0o755);
  lockDataDirectory(directory).release();
  expect(statSync(directory).mode & 0o777).toBe(0o755);
});

test('the refusal names the directory, the holder and what to do', () => {
  const first = lockDataDirectory(directory);
  expect(() => lockDataDirectory(directory)).toThrow(`${directory} is in use by another process`);
  writeRunFile(directory, {
    port: 8600,
    endpoint: 'https://localhost:8600/api/projects/default',
    identityEndpoint: '',
    identityHeader: '',
    apiKey: null,
    caFile: '',
    caBundleFile: '',
    deployments: [],
  });
  expect(() => lockDataDirectory(directory)).toThrow(
    `process id ${process.pid} at https://localhost:8600/api/projects/default. Stop it first`,
  );
  first.release();
});

test('a killed process holds nothing', async () => {
  const child = await holdElsewhere();
  try {
    expect(() => lockDataDirectory(directory)).toThrow(DataDirectoryInUseError);
  } finally {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  lockDataDirectory(directory).release();
});
