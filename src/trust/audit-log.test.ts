import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type AuditKey, auditKeyOf } from './audit-chain.ts';
import { auditDirectory, auditFiles, currentAuditFile } from './audit-files.ts';
import { auditHeadFile } from './audit-head.ts';
import { auditKeys, keepAuditKeys } from './audit-keys.ts';
import { type AuditEntry, mostUnknownPerSecond, mostWaiting, openAuditLog } from './audit-log.ts';
import { verifyAudit } from './audit-verify.ts';
import { trustDirectory } from './certificates.ts';
import { addSealingKey, forgetOldSealingKeys, sealingKeys } from './sealing-keys.ts';

let data: string;
let directory: string;
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'bloomery-audit-'));
  directory = auditDirectory(data);
  mkdirSync(trustDirectory(data));
});
afterEach(() => rmSync(data, { recursive: true, force: true }));

const said: string[] = [];
const log = {
  warn: (_: object, message: string) => void said.push(message),
  info: (_: object, message: string) => void said.push(message),
};
const keys = [auditKeyOf(Buffer.alloc(32, 1))];
const verify = (known: readonly AuditKey[] = keys) => verifyAudit(data, known);
type Bounds = { megabytes?: number; files?: number; keys?: readonly AuditKey[] };
const open = (bounds: Bounds = {}) =>
  openAuditLog({ dataDirectory: data, keys, megabytes: 64, files: 10, log, ...bounds });

const entry = (at: number, more: Partial<AuditEntry> = {}): AuditEntry => ({
  time: 1_800_000_000_000 + at,
  requestId: `request-${at}`,
  clientRequestId: null,
  principal: { kind: 'key', id: 'k1', name: 'a key' },
  project: 'default',
  operation: 'Create an agent',
  action: 'Microsoft.CognitiveServices/accounts/AIServices/agents/write',
  method: 'POST',
  path: '/api/projects/default/agents',
  status: 200,
  address: '127.0.0.1',
  ms: 1.5,
  ...more,
});

type Line = Record<string, unknown> & { requestId?: string; notWritten?: Record<string, number> };
const linesOf = (file: string): Line[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      try {
        return JSON.parse(line) as Line;
      } catch {
        return {};
      }
    });
const all = (): Line[] => auditFiles(directory).flatMap(linesOf);

async function write(count: number, from = 0, bounds = {}): Promise<void> {
  const audit = await open(bounds);
  for (let at = from; at < from + count; at++) audit.append(entry(at));
  await audit.close();
}

test('entries are lines in their order, for the owner alone', async () => {
  await write(2500);
  expect(all().map(({ requestId }) => requestId)).toEqual(
    Array.from({ length: 2500 }, (_, at) => `request-${at}`),
  );
  expect(all()[0]).toEqual({
    ...entry(0),
    ...{ previous: '', number: 1, key: keys[0]?.id, mac: expect.any(String) },
    time: '2027-01-15T08:00:00.000Z',
  });
  expect(statSync(currentAuditFile(directory)).mode & 0o777).toBe(0o600);
  expect(statSync(directory).mode & 0o777).toBe(0o700);
});

test('entries are written soon, without anybody closing the log', async () => {
  const audit = await open();
  audit.append(entry(1));
  while (all().length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  audit.append(entry(2));
  while (all().length === 1) await new Promise((resolve) => setTimeout(resolve, 10));
  await audit.close();
  expect(await verify()).toEqual({ files: 1, lines: 2, withoutKey: 0, faults: [] });
});

describe('the chain', () => {
  test('goes on over a restart and over files', async () => {
    for (let at = 0; at < 4; at++) await write(1900, at * 1900, { megabytes: 1, files: 10 });
    const { files, lines, faults } = await verify();
    expect([lines, faults]).toEqual([7600, []]);
    expect(files).toBeGreaterThan(2);
  });

  test.each<[string, (lines: string[]) => string[], RegExp]>([
    [
      'changed',
      (lines) => lines.map((line, at) => (at === 3 ? line.replace('a key', 'b key') : line)),
      /:4: was changed/,
    ],
    ['taken out', (lines) => lines.filter((_, at) => at !== 3), /:4: .* numbers 4 to 4 are missing/],
    ['put in', (lines) => lines.toSpliced(3, 0, lines[1] ?? ''), /:4: has the number 2, where 4 comes next/],
    [
      'put in without the key',
      (lines) => lines.toSpliced(3, 0, '{"previous":"","time":"x"}'),
      /:4: does not follow/,
    ],
    ['put behind the last without the key', (lines) => [...lines, '{"time":"x"}'], /:9: does not follow/],
    ['cut off the beginning', (lines) => lines.slice(2), /:1: .* numbers 1 to 2 are missing/],
    [
      'cut off the end',
      (lines) => lines.slice(0, -2),
      /audit\.log: ends with line 6, and line 8 was written/,
    ],
    ['taken out, like all others', () => [], /ends with line 0, and line 8 was written/],
  ])('shows that a line was %s', async (_, tamper, what) => {
    await write(8);
    const file = currentAuditFile(directory);
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
    const left = tamper(lines);
    writeFileSync(file, left.map((line) => `${line}\n`).join(''));
    expect((await verify()).faults[0]).toMatch(what);
    // A server that goes on does not cover it up.
    await write(2, 8);
    expect((await verify()).faults[0]).toMatch(/audit\.log:\d/);
  });

  test('shows a chain that somebody made anew without the key, and an end that is gone or was changed', async () => {
    await write(3);
    const file = currentAuditFile(directory);
    const [lines, head] = [readFileSync(file), readFileSync(auditHeadFile(data), 'utf8')];
    const forger = [auditKeyOf(Buffer.alloc(32, 2))];
    writeFileSync(file, '');
    rmSync(auditHeadFile(data));
    await write(3, 0, { keys: forger });
    expect((await verify()).faults[0]).toMatch(/:1: cannot be verified: its key [0-9a-f]{12} is not here/);
    writeFileSync(file, lines);
    expect((await verify()).faults).toEqual([expect.stringContaining('ends was changed')]);
    rmSync(auditHeadFile(data));
    expect((await verify()).faults).toEqual([expect.stringContaining('is gone')]);
    writeFileSync(auditHeadFile(data), head.replace('"number":3', '"number":2'));
    expect((await verify()).faults).toEqual([expect.stringContaining('ends was changed')]);
    writeFileSync(auditHeadFile(data), head);
    expect((await verify()).faults).toEqual([]);
  });

  test('goes on from lines without a key, which are verified as before and said', async () => {
    await write(3, 0, { keys: [] });
    await write(3, 3);
    expect(await verify()).toMatchObject({ lines: 6, withoutKey: 3, faults: [] });
    const file = currentAuditFile(directory);
    writeFileSync(file, readFileSync(file, 'utf8').replace('request-1', 'request-7'));
    expect((await verify()).faults).toEqual([expect.stringMatching(/:3: does not follow/)]);
  });

  test('goes on with a new key; lines of one that was forgotten are still verified', async () => {
    sealingKeys(data, undefined);
    await write(2, 0, { keys: auditKeys(data) });
    keepAuditKeys(data, addSealingKey(data).slice(1));
    forgetOldSealingKeys(data);
    await write(2, 2, { keys: auditKeys(data) });
    expect(await verify(auditKeys(data))).toMatchObject({ lines: 4, faults: [] });
    expect(auditKeys(data)).toHaveLength(2);
  });

  test('closes a line that was cut off, and goes on after it', async () => {
    await write(2);
    appendFileSync(currentAuditFile(directory), '{"previous":"x","time');
    await write(2, 2);
    expect(all().map(({ requestId }) => requestId)).toEqual([
      'request-0',
      'request-1',
      undefined,
      'request-2',
      'request-3',
    ]);
    expect((await verify()).faults).toEqual([expect.stringMatching(/:3: is not a line of JSON$/)]);
  });
});

test('full files are put away, and only so many are kept', async () => {
  await write(9000, 0, { megabytes: 1, files: 2 });
  const names = readdirSync(directory).sort();
  expect(names).toHaveLength(2);
  expect(names[0]).toMatch(/^audit\.00000[2-9]\.log$/);
  expect(names[1]).toBe('audit.log');
  for (const name of names) expect(statSync(join(directory, name)).size).toBeLessThanOrEqual(1_048_576);
  expect(all().at(-1)?.requestId).toBe('request-8999');
  expect((await verify()).faults).toEqual([]);
});

test('refusals of nobody known are counted beyond a number, and push nothing out', async () => {
  const audit = await open();
  for (let at = 0; at < 500; at++) audit.append(entry(0, { principal: null, status: 401 }));
  audit.append(entry(1));
  await audit.close();
  expect(all().filter(({ status }) => status === 401)).toHaveLength(mostUnknownPerSecond);
  expect(all().filter(({ requestId }) => requestId === 'request-1')).toHaveLength(1);
  const counted = all().map(({ notWritten }) => notWritten?.unknownRefused ?? 0);
  expect(counted.reduce((sum, one) => sum + one)).toBe(500 - mostUnknownPerSecond);
});

test.runIf(process.platform === 'linux')(
  'a full disk is told, waited for, and what did not fit is counted',
  async () => {
    mkdirSync(directory, { recursive: true });
    symlinkSync('/dev/full', currentAuditFile(directory));
    said.length = 0;
    const audit = await open();
    for (let at = 0; at < mostWaiting + 7; at++) audit.append(entry(at));
    while (said.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(said).toEqual(['the audit log cannot be written; will retry']);
    rmSync(currentAuditFile(directory));
    await audit.close();
    expect(said.at(-1)).toBe('the audit log is written again');
    const written = all();
    expect(written.filter(({ requestId }) => requestId !== undefined)).toHaveLength(mostWaiting);
    expect(written.map(({ notWritten }) => notWritten?.dropped ?? 0).filter((count) => count > 0)).toEqual([
      7,
    ]);
    expect((await verify()).faults).toEqual([]);
  },
);
