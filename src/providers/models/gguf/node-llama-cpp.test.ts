import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { ConfigError } from '../../../yaml-file.ts';
import { locateNodeLlamaCpp, locatePackage } from './node-llama-cpp.ts';

const directory = mkdtempSync(join(tmpdir(), 'bloomery-package-'));
afterAll(() => rmSync(directory, { recursive: true }));

test('a package is found in the first directory that has it', () => {
  const root = join(directory, 'second', 'node_modules', 'some-package');
  mkdirSync(root, { recursive: true });
  writeFileSync(
    join(root, 'package.json'),
    '{ "type": "module", "exports": { ".": { "import": "./a.js", "default": "./a.js" } } }',
  );
  writeFileSync(join(root, 'a.js'), '');
  const places = ['first', 'second'].map((name) => join(directory, name));
  expect(locatePackage('some-package', places)).toBe(pathToFileURL(join(root, 'a.js')).href);
  expect(locatePackage('some-package', places.slice(0, 1))).toBeNull();
});

const isInstalled = locatePackage('node-llama-cpp', [import.meta.dirname, process.cwd()]) !== null;
test.skipIf(isInstalled)('where it is missing, the message says what to install', () => {
  expect(() => locateNodeLlamaCpp('mine')).toThrow(ConfigError);
  expect(() => locateNodeLlamaCpp('mine')).toThrow(
    /^deployment 'mine': .* not installed\. Run `npm install node-llama-cpp@3` in /,
  );
});
