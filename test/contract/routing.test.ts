import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { contractRows, rowLine } from '../../src/families/not-built/contract-rows.ts';
import { notBuiltFamily } from '../../src/families/not-built/index.ts';
import { type ContractApp, contractApp, sampleUrl } from './contract-app.ts';

/** With nothing served, each operation answers for itself, so its answer tells which one a request came to. */
describe('the whole contract on one router', () => {
  let app: ContractApp;
  beforeAll(async () => {
    app = await contractApp(() => [notBuiltFamily([])]);
  });
  afterAll(() => app.close());

  const rows = contractRows().map((row) => ({ row, line: rowLine(row) }));

  test('no two operations have the same line', () => {
    expect(new Set(rows.map(({ line }) => line)).size).toBe(rows.length);
  });

  test.each(rows)('$line is reached by its own URL', async ({ row, line }) => {
    expect((await app.call(row)).error?.message).toContain(`(${line})`);
  });

  test.each(rows.filter(({ row }) => row.path.includes('{')))(
    '$line is reached with colons, slashes and spaces encoded in its names',
    async ({ row, line }) => {
      const url = sampleUrl({ ...row, path: row.path.replace(/\{\w+\}/g, 'a%3Ab%2Fc%20d') });
      expect((await app.call(row, { url })).error?.message).toContain(`(${line})`);
    },
  );

  test.each(rows.filter(({ row }) => /\}:\w+$/.test(row.path)))(
    '$line is not reached by a name that ends like its verb',
    async ({ row, line }) => {
      const url = sampleUrl({ ...row, path: row.path.replace(/\}:(\w+)$/, '}%3A$1') });
      expect((await app.call(row, { url })).error?.message ?? '').not.toContain(`(${line})`);
    },
  );

  test.each([
    ['/openai/v1/responses/compact', 'POST', 'POST /openai/v1/responses/compact'],
    ['/openai/v1/videos/characters/character-1', 'GET', 'GET /openai/v1/videos/characters/{character_id}'],
    ['/openai/v1/videos/edits', 'POST', 'POST /openai/v1/videos/edits multipart/form-data'],
    ['/agents:import', 'POST', 'POST /agents:import'],
    ['/agents/a/versions:import', 'POST', 'POST /agents/{agent_name}/versions:import'],
    ['/agents/a/code:download', 'GET', 'GET /agents/{agent_name}/code:download'],
    ['/memory_stores/a/items:list', 'POST', 'POST /memory_stores/{name}/items:list'],
    ['/redTeams/runs:run', 'POST', 'POST /redTeams/runs:run'],
  ])('%s comes to the fixed segment, not to the parameter beside it', async (path, method, line) => {
    const row = rows.find((candidate) => candidate.line === line)?.row;
    if (row === undefined) throw new Error(`The contract has no ${line}.`);
    const reply = await app.call(
      { ...row, method: method as typeof row.method },
      { url: `/api/projects/default${path}?api-version=v1` },
    );
    expect(reply.error?.message).toContain(`(${line})`);
  });

  test('a body of another kind at a shared place comes to the operation that takes it', async () => {
    for (const { row, line } of rows.filter(({ row }) => row.consumes === 'multipart/form-data')) {
      const headers = { 'content-type': 'Multipart/Form-Data;boundary=x' };
      expect((await app.call(row, { headers })).error?.message).toContain(`(${line})`);
    }
  });
});
