import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { contractRows, rowLine } from '../../src/families/not-built/contract-rows.ts';
import { notBuiltFamily } from '../../src/families/not-built/index.ts';
import { type ContractApp, contractApp } from './contract-app.ts';
import { describeHalf, expectNotBuilt } from './half-of-contract.ts';
import { openaiSdkOperations } from './sdk-operations.ts';

const rows = contractRows().filter(({ wire }) => wire === 'openai');

describeHalf('openai');

/** Parts of OpenAI's own platform that Foundry projects do not have. */
const elsewhere =
  /^\w+ \/(assistants|threads|organization|projects|chatkit|decisions|live|skills|safety|vaults|webhook_\w+|content_provenance_checks|agents)(\/|$)/;

test('the table has the operations of the installed SDK that belong to a project', () => {
  const table = new Set(rows.map(({ method, path }) => `${method} ${path.replace(/\{\w+\}/g, '{}')}`));
  const sdk = openaiSdkOperations().filter((line) => !elsewhere.test(line));
  expect(sdk.length).toBeGreaterThan(100);
  expect(sdk.filter((line) => !table.has(line))).toEqual([]);
});

describe("an agent's own endpoint", () => {
  let app: ContractApp;
  beforeAll(async () => {
    app = await contractApp(() => [notBuiltFamily([])]);
  });
  afterAll(() => app.close());

  const agentBase = '/agents/some-agent/endpoint/protocols/openai';
  const own = rows.filter(({ group }) => group === 'responses' || group === 'conversations');

  test.each(own.map((row) => ({ row, line: rowLine(row) })))('answers for $line', async ({ row, line }) => {
    expectNotBuilt(await app.call(row, { base: agentBase }), 'openai', line);
    expectNotBuilt(await app.call(row, { base: `${agentBase}/v1` }), 'openai', line);
  });

  test('does not know the rest of the API', async () => {
    const files = rows.find(({ path }) => path === '/files');
    if (files === undefined) throw new Error('The table has no files.');
    expect(await app.call(files, { base: agentBase })).toMatchObject({
      status: 404,
      error: { code: 'not_found' },
    });
  });
});
