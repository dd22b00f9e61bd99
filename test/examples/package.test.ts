/** The package as it is installed, and the example and the guide's script as its users have them. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { addExample, checkout, folderWithPackage } from './installed-package.ts';

let folder: string;
beforeAll(async () => {
  folder = await folderWithPackage('@azure/ai-projects', '@types/node', 'openai', 'vitest');
  addExample('vitest', folder);
}, 90_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What a program of Node.js prints, run there. */
async function printed(...given: string[]): Promise<string> {
  const { VITEST: _, ...env } = process.env;
  const child = spawn(process.execPath, given, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const [out, err, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  expect([code, code === 0 ? '' : out + err]).toEqual([0, '']);
  return out;
}

const bloomery = 'node_modules/bloomery/bin/bloomery.js';

test('the command knows its version', async () => {
  expect(await printed(bloomery, '--version')).toBe(`${manifest.version}\n`);
});

test('nothing asks for a source, which is not there', () => {
  const built = join(folder, 'node_modules/bloomery/dist');
  const files = globSync('**/*.js', { cwd: built });
  expect(files.length).toBeGreaterThan(500);
  const asks =
    /new URL\(\s*['"`][^'"`]*\.ts['"`]|\bimport\(\s*['"`][^'"`]*\.ts['"`]|^(import|export)\b.*\.ts['"];/m;
  expect(files.filter((file) => asks.test(readFileSync(join(built, file), 'utf8')))).toEqual([]);
});

/** With the reader of documents, the index and the version of the document. */
const program = `
  const { default: OpenAI, toFile } = await import('openai');
  const openai = new OpenAI();
  const { output_text } = await openai.responses.create({ model: 'builtin', input: 'Say hi' });
  const store = await openai.vectorStores.create({ name: 's' });
  const page = await toFile(Buffer.from('<p>Blooms are made of sponge iron.</p>'), 'blooms.html');
  const { status } = await openai.vectorStores.files.uploadAndPoll(store.id, page);
  const found = await openai.vectorStores.search(store.id, { query: 'sponge iron' });
  const document = await fetch(new URL('/openapi.json', openai.baseURL));
  const { info } = await document.json();
  console.log(JSON.stringify([output_text !== '', status, found.data[0]?.content[0]?.text, info.version]));
`;

test('a server runs, with its threads and processes', { timeout: 60_000 }, async () => {
  const out = await printed(bloomery, 'exec', '--', process.execPath, '-e', program);
  expect(JSON.parse(out)).toEqual([true, 'completed', 'Blooms are made of sponge iron.', manifest.version]);
});

test('the client and the testing kit are there for plain JavaScript', async () => {
  const names = `import * as client from 'bloomery/client';
    import * as testing from 'bloomery/testing';
    console.log(typeof client.createClient, typeof testing.startServer);`;
  expect(await printed('--input-type=module', '-e', names)).toBe('function function\n');
});

test('the example for Vitest passes, on a server of its own', { timeout: 90_000 }, async () => {
  const out = await printed('node_modules/vitest/vitest.mjs', 'run', '--reporter=verbose');
  expect(out).toMatch(/Tests .*3 passed/);
});

test('the script of the guide passes with node:test', { timeout: 60_000 }, async () => {
  const guide = readFileSync(join(checkout, 'docs/guide/testing.md'), 'utf8');
  const [, example = ''] = /<!-- example: order\.test\.ts -->\n+```ts\n([\s\S]*?)```/.exec(guide) ?? [];
  writeFileSync(join(folder, 'order.test.ts'), example);
  expect(await printed('--test', 'order.test.ts')).toMatch(/pass 1\b/);
});

test('TypeScript finds the types', { timeout: 60_000 }, async () => {
  const compilerOptions = {
    ...{ module: 'nodenext', target: 'esnext', lib: ['esnext'], types: ['node'] },
    ...{ strict: true, skipLibCheck: true, noEmit: true, allowImportingTsExtensions: true },
  };
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ compilerOptions, include: ['src', 'test', 'typed.ts'] }),
  );
  // Were anything untyped, it could be given to anything.
  const typed = `import { createClient } from 'bloomery/client';
    import { startServer } from 'bloomery/testing';
    // @ts-expect-error
    createClient({ endpoint: 1 });
    // @ts-expect-error
    const started: number = await startServer();
    export { started };`;
  writeFileSync(join(folder, 'typed.ts'), typed);
  await printed(join(checkout, 'node_modules/typescript/bin/tsc'));
});
