import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { rotateSecrets } from '../server-secrets.ts';
import { lockDataDirectory } from '../storage/data-lock.ts';
import { auditDirectory, currentAuditFile } from '../trust/audit-files.ts';
import { auditKeys } from '../trust/audit-keys.ts';
import { verifyAudit } from '../trust/audit-verify.ts';
import { apiKeysFile } from '../trust/key-file.ts';
import { parseArguments } from './arguments.ts';
import { key } from './key.ts';
import { commandWorld } from './testing/command-world.ts';
import { token } from './token.ts';

const world = commandWorld();

const data = () => join(world.directory, 'data');
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
  expect(await verifyAudit(data(), auditKeys(data()))).toMatchObject({ files: 1, lines: 5, faults: [] });
});

test('keys may have the roles of the configuration', async () => {
  const config = join(world.directory, 'own.yaml');
  writeFileSync(config, 'roles: [{ name: Agent builder, dataActions: ["*/agents/*"] }]\n');
  await keyCommand('create', 'ci', '--role', 'agent builder', '--config', config);
  expect(world.said).toContain('It may be Agent builder everywhere');
  await expect(keyCommand('create', 'other', '--role', 'Emperor', '--config', config)).rejects.toThrow(
    "There is no role 'Emperor'",
  );
});

test('a key for what cannot be a project is refused without a server, and nothing is written', async () => {
  await keyCommand('create', 'first');
  const keysBefore = readFileSync(apiKeysFile(data()), 'utf8');
  for (const [option, value, message] of [
    ['--project', 'a/b', 'project'],
    ['--role', 'Emperor', "There is no role 'Emperor'"],
  ] as const) {
    await expect(keyCommand('create', 'second', option, value)).rejects.toThrow(message);
  }
  await expect(keyCommand('create', 'first')).rejects.toThrow('first');
  expect(readFileSync(apiKeysFile(data()), 'utf8')).toBe(keysBefore);
  expect(written().map(({ operation }) => operation)).toEqual(['key create first']);
});
