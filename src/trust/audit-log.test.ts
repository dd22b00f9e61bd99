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
import { auditDirectory, auditFiles, currentAuditFile, verifyAuditFiles } from './audit-files.ts';
import { type AuditEntry, mostUnknownPerSecond, mostWaiting, openAuditLog } from './audit-log.ts';

let data: string;
let directory: string;
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'bloomery-audit-'));
  directory = auditDirectory(data);
});
afterEach(() => rmSync(data, { recursive: true, force: true }));

const said: string[] = [];
const log = {
  warn: (_: object, message: string) => void said.push(message),
  info: (_: object, message: string) => void said.push(message),
};
const open = (bounds: { megabytes?: number; files?: number } = {}) =>
  openAuditLog({ dataDirectory: data, megabytes: 64, files: 10, log, ...bounds });

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
    previous: '',
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
  expect(await verifyAuditFiles(directory)).toEqual({ files: 1, lines: 2, faults: [] });
});

describe('the chain', () => {
  test('goes on over a restart and over files', async () => {
    for (let at = 0; at < 4; at++) await write(1900, at * 1900, { megabytes: 1, files: 10 });
    const { files, lines, faults } = await verifyAuditFiles(directory);
    expect([lines, faults]).toEqual([7600, []]);
    expect(files).toBeGreaterThan(2);
  });

  test.each<[string, (lines: string[]) => string[]]>([
    ['changed', (lines) => lines.map((line, at) => (at === 3 ? line.replace('a key', 'b key') : line))],
    ['taken out', (lines) => lines.filter((_, at) => at !== 3)],
    ['put in', (lines) => lines.toSpliced(3, 0, lines[1] ?? '')],
  ])('shows that a line was %s', async (_, tamper) => {
    await write(8);
    const file = currentAuditFile(directory);
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
    writeFileSync(file, `${tamper(lines).join('\n')}\n`);
    expect((await verifyAuditFiles(directory)).faults[0]).toMatch(
      /audit\.log:[45]: does not follow the line before/,
    );
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
    expect((await verifyAuditFiles(directory)).faults).toEqual([
      expect.stringMatching(/:3: is not a line of JSON$/),
    ]);
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
  expect((await verifyAuditFiles(directory)).faults).toEqual([]);
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
    expect((await verifyAuditFiles(directory)).faults).toEqual([]);
  },
);
