import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { rotateSecrets } from '../server-secrets.ts';
import { lockDataDirectory } from '../storage/data-lock.ts';
import { auditDirectory, currentAuditFile, verifyAuditFiles } from '../trust/audit-files.ts';
import { parseArguments } from './arguments.ts';
import { key } from './key.ts';
import { token } from './token.ts';

let directory: string;
let said: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'bloomery-test-'));
  said = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    said += text;
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(directory, { recursive: true, force: true });
});

const data = () => join(directory, 'data');
const keyCommand = (...words: string[]) => key(parseArguments('key', [...words, '--data', data()]));
const written = (): { principal: { kind: string }; operation: string }[] =>
  readFileSync(currentAuditFile(auditDirectory(data())), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

test('what a command does without a server stands in the audit log', async () => {
  await keyCommand('create', 'ci');
  await keyCommand('rotate', 'ci');
  await keyCommand('revoke', 'ci');
  await rotateSecrets(data(), false);
  await token(parseArguments('token', ['--data', data()]));
  const lock = lockDataDirectory(data());
  await token(parseArguments('token', ['--data', data()]));
  lock.release();
  expect(written().map(({ operation }) => operation)).toEqual([
    'key create ci',
    'key rotate ci',
    'key revoke ci',
    'secrets rotate',
    'token of the owner',
  ]);
  expect(written()[0]?.principal.kind).toBe('command');
  expect(await verifyAuditFiles(auditDirectory(data()))).toEqual({ files: 1, lines: 5, faults: [] });
});

test('keys may have the roles of the configuration', async () => {
  const config = join(directory, 'own.yaml');
  writeFileSync(config, 'roles: [{ name: Agent builder, dataActions: ["*/agents/*"] }]\n');
  await keyCommand('create', 'ci', '--role', 'agent builder', '--config', config);
  expect(said).toContain('It may be Agent builder everywhere');
  await expect(keyCommand('create', 'other', '--role', 'Emperor', '--config', config)).rejects.toThrow(
    "There is no role 'Emperor'",
  );
});
