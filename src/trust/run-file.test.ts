import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readRunFile, removeRunFile, runFilePath, writeRunFile } from './run-file.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'bloomery-test-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const server = {
  port: 8600,
  endpoint: 'https://localhost:8600/api/projects/default',
  identityEndpoint: 'http://127.0.0.1:8600/msi/token',
  identityHeader: 'secret',
  apiKey: 'key',
  caFile: '/data/trust/ca.pem',
  caBundleFile: '/data/trust/ca-bundle.pem',
  deployments: ['builtin'],
};

const deadPid = () => spawnSync('true').pid;

test('tells of the running server, to its owner only', () => {
  expect(readRunFile(directory)).toBeNull();
  const run = writeRunFile(directory, server);
  expect(run).toMatchObject({ ...server, pid: process.pid });
  expect(readRunFile(directory)).toEqual(run);
  expect(statSync(runFilePath(directory)).mode & 0o777).toBe(0o600);
  removeRunFile(directory);
  expect(existsSync(runFilePath(directory))).toBe(false);
});

test('is void once its process is gone', () => {
  const run = writeRunFile(directory, server);
  writeFileSync(runFilePath(directory), JSON.stringify({ ...run, pid: deadPid() }));
  expect(readRunFile(directory)).toBeNull();
});

test('of another server is left alone', () => {
  const run = writeRunFile(directory, server);
  writeFileSync(runFilePath(directory), JSON.stringify({ ...run, pid: process.ppid }));
  removeRunFile(directory);
  expect(readRunFile(directory)?.pid).toBe(process.ppid);
});
