import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type PythonEnvironment, preparationMilliseconds, pythonEnvironment } from '../python-environment.ts';

const run = promisify(execFile);
const checkout = join(import.meta.dirname, '../..');
const directory = mkdtempSync(join(tmpdir(), 'bloomery-pytest-'));
const site = join(directory, 'site');
let environment: PythonEnvironment;

/** The plugin as pip installs it, beside the clients that other tests share. */
beforeAll(async () => {
  environment = await pythonEnvironment();
  const source = join(directory, 'source');
  // A build leaves its traces in the folder it is made of.
  cpSync(join(checkout, 'clients/python'), source, { recursive: true });
  const pip = [
    '-m',
    'pip',
    '--disable-pip-version-check',
    '--no-input',
    'install',
    '--no-deps',
    '--no-compile',
  ];
  await run(environment.python, [...pip, '--target', site, source]);
}, preparationMilliseconds);
afterAll(() => rmSync(directory, { recursive: true, force: true }));

// In one run, on one server: what each takes to start is more than its tests.
const folders = ['examples/pytest', 'clients/python/tests', 'test/e2e/fault-kinds'];

test('the example, the plugin, and every kind of fault for the Python clients', {
  timeout: 240_000,
}, async () => {
  const given = ['-q', '--color=no', '-p', 'no:cacheprovider', '--rootdir', '.', ...folders];
  const { code, output } = await run(environment.python, ['-m', 'pytest', ...given], {
    cwd: checkout,
    env: {
      ...process.env,
      PYTHONPATH: site,
      PYTHONPYCACHEPREFIX: environment.bytecode,
      BLOOMERY_COMMAND: `${process.execPath} ${join(checkout, 'bin/bloomery.js')}`,
    },
  }).then(
    ({ stdout }) => ({ code: 0, output: stdout }),
    ({ code, stdout, stderr }) => ({ code, output: `${stdout}${stderr}` }),
  );
  expect(code, output).toBe(0);
  expect(output).toMatch(/^\d+ passed/m);
});
