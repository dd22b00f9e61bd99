import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import {
  execPython,
  type PythonEnvironment,
  preparationMilliseconds,
  pythonEnvironment,
} from '../python-environment.ts';
import { type Sample, type StandIn, samples } from './samples.ts';

// Each is a server and a Python; more at a time would only slow each other down.
vi.setConfig({ maxConcurrency: 2 });

const here = new URL('.', import.meta.url).pathname;
/** Of the archive that PyPI serves for 2.10.0. */
const archiveDigest = 'c1edbb1241c973538a85de45a467edf9d6c244916c01cf68751eedbe65e7f37f';
const sampleMilliseconds = 120_000;

let environment: PythonEnvironment;
beforeAll(async () => {
  environment = await pythonEnvironment();
}, preparationMilliseconds);

test('the samples folder is that of the source distribution, to the byte', () => {
  const { python, archive, samples: folder } = environment;
  expect(digest(archive)).toBe(archiveDigest);
  const inArchive = JSON.parse(
    execFileSync(python, [join(here, 'archive_digests.py'), archive], { encoding: 'utf8' }),
  );
  const onDisk = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  expect(Object.fromEntries(onDisk.map((file) => [file.slice(folder.length + 1), digest(file)]))).toEqual(
    inArchive,
  );
});

describe.concurrent('runs unmodified', () => {
  for (const sample of samples) {
    test(sample.path, { timeout: sampleMilliseconds }, async ({ signal }) => {
      const directory = mkdtempSync(join(tmpdir(), 'bloomery-sample-'));
      const standIn = await sample.standIn?.();
      try {
        const { code, stdout, stderr } = await execPython(environment, [basename(sample.path)], {
          cwd: join(environment.samples, dirname(sample.path)),
          execOptions: configOptions(sample, standIn, directory),
          variables: { TMPDIR: directory, ...sample.variables, ...standIn?.variables },
          signal,
        });
        expect({ code, stderr }, stdout).toEqual({ code: 0, stderr: '' });
        judge(sample, stdout);
      } finally {
        await standIn?.close();
        rmSync(directory, { recursive: true, force: true });
      }
    });
  }
});

function configOptions({ config }: Sample, standIn: StandIn | undefined, directory: string): string[] {
  if (standIn?.config === undefined) return config === undefined ? [] : ['--config', join(here, config)];
  const file = join(directory, 'bloomery.yaml');
  writeFileSync(file, JSON.stringify(standIn.config));
  return ['--config', file];
}

function judge({ shows, logs, hides = [] }: Sample, stdout: string): void {
  expectInOrder(stdout, shows);
  const texts = [stdout];
  if (logs !== undefined) {
    const log = readFileSync(/logs written to (\S+)/.exec(stdout)?.[1] ?? 'no log named', 'utf8');
    expectInOrder(log, logs);
    texts.push(log);
  }
  for (const [pattern, because] of hides) {
    for (const text of texts) expect(text, because).not.toMatch(pattern);
  }
}

/** Each text must come after the one before it. */
function expectInOrder(text: string, expected: Sample['shows']): void {
  let rest = text;
  for (const [pattern, because] of expected) {
    expect(rest, because).toMatch(pattern);
    const found = pattern.exec(rest);
    rest = rest.slice((found?.index ?? 0) + (found?.[0].length ?? 0));
  }
}

const digest = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex');
