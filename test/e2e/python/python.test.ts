import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  execPython,
  type PythonEnvironment,
  preparationMilliseconds,
  pythonEnvironment,
} from '../../python-environment.ts';

const here = new URL('.', import.meta.url).pathname;
const suiteMilliseconds = 300_000;
const directory = mkdtempSync(join(tmpdir(), 'bloomery-python-'));

let environment: PythonEnvironment;
beforeAll(async () => {
  environment = await pythonEnvironment();
}, preparationMilliseconds);
afterAll(() => rmSync(directory, { recursive: true, force: true }));

test('the official Python clients find what they expect', { timeout: suiteMilliseconds }, async ({
  signal,
}) => {
  const { code, stdout, stderr } = await execPython(
    environment,
    ['-m', 'pytest', '-q', '--color=no', '-p', 'no:cacheprovider', '--rootdir', here, here],
    { cwd: directory, execOptions: ['--config', join(here, 'bloomery.yaml')], signal },
  );
  expect(code, stdout + stderr).toBe(0);
  expect(stdout).toMatch(/^\d+ passed/m);
});
