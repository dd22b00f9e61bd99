import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ContractRow, contractRows, rowLine } from '../../src/families/not-built/contract-rows.ts';
import { coverageOf } from '../../src/families/not-built/coverage.ts';
import { notBuiltFamily } from '../../src/families/not-built/index.ts';
import { previewGate } from '../../src/families/not-built/preview-gates.ts';
import { type ContractApp, contractApp } from './contract-app.ts';
import { describeHalf } from './half-of-contract.ts';
import { nativeSdkOperations } from './sdk-operations.ts';

const rows = contractRows().filter(({ wire }) => wire === 'foundry');

describeHalf('foundry');

test('the table has the operations of the installed SDK, no more and no less', () => {
  const sdk = nativeSdkOperations().map(({ line, contentType }) =>
    contentType === '' || contentType.endsWith('json') ? line : `${line} ${contentType}`,
  );
  expect(rows).toHaveLength(187);
  expect(rows.map(rowLine).sort()).toEqual(sdk.sort());
});

describe('preview gates', () => {
  let app: ContractApp;
  beforeAll(async () => {
    // Nothing is served, so that what is behind each gate is the same.
    app = await contractApp(() => [notBuiltFamily([])]);
  });
  afterAll(() => app.close());

  const gated = rows.flatMap((row) => {
    const key = previewGate(row.path);
    return key === null ? [] : [{ line: rowLine(row), row, key }];
  });

  test('are exactly those that the installed SDK passes by itself, each with its own key', () => {
    const sent = nativeSdkOperations().flatMap(({ line, feature }) =>
      feature === null ? [] : [`${line} ${feature}`],
    );
    expect(gated.map(({ row, key }) => `${row.method} ${row.path} ${key}`).sort()).toEqual(sent.sort());
    expect(gated.length).toBeGreaterThan(80);
  });

  test.each(gated)('$line', async ({ row, key }) => {
    const shut = await app.call(row, { headers: { 'foundry-features': 'Unheard=V1Preview' } });
    expect(shut.status).toBe(403);
    expect(shut.error).toMatchObject({
      code: 'preview_feature_required',
      param: 'Foundry-Features',
      type: 'invalid_request_error',
      details: [],
      message: expect.stringContaining(`Include the 'Foundry-Features: ${key}' header in your request.`),
    });
    const among = { 'foundry-features': `HostedAgents=V1Preview, ${key} ,Unheard=V9` };
    expect(await app.call(row, { headers: among })).toMatchObject({ status: 501 });
  });

  const routine = { ...sample('/routines'), method: 'GET' } as const;

  test('routines open to the older key too', async () => {
    const headers = { 'foundry-features': 'Routines=V1Preview' };
    expect(await app.call(routine, { headers })).toMatchObject({ status: 501 });
  });

  test('a dated preview version opens them without a key', async () => {
    const url = '/api/projects/default/routines?api-version=2025-11-15-preview';
    expect(await app.call(routine, { url, headers: { 'foundry-features': '' } })).toMatchObject({
      status: 501,
    });
  });

  test('page two of a listing, which SDKs ask for without the key, is not shut', async () => {
    const url = '/api/projects/default/models?api-version=v1&skipToken=abc';
    expect(await app.call(sample('/models'), { url, headers: { 'foundry-features': '' } })).toMatchObject({
      status: 501,
    });
  });

  test.each([
    '/agents/{agent_name}/endpoint/sessions',
    '/agents/{agent_name}/telephony/calls',
    '/agent_optimization_jobs',
    '/toolboxes',
    '/evaluators',
    '/evaluator_generation_jobs',
  ])('%s is open without a key', async (path) => {
    expect(await app.call(sample(path))).toMatchObject({ status: 501 });
  });

  test('no family forgets the gate of an operation that it serves, or invents one', async () => {
    const wrong = app.served
      .flatMap((family) => Object.values(family.operations))
      .filter(({ wire, path, preview }) => wire === 'foundry' && (preview ?? null) !== previewGate(path))
      .map(({ method, path }) => `${method} ${path}`);
    expect(wrong).toEqual([]);
  });
});

describe('routes that look alike', () => {
  test('a method that a place does not have is 405 and names those it has', async () => {
    const app = await contractApp(() => [notBuiltFamily([])]);
    const reply = await app.call({ ...sample('/toolboxes/{name}'), method: 'PUT' });
    expect(reply).toMatchObject({ status: 405, headers: { allow: 'DELETE, GET, PATCH' } });
    await app.close();
  });

  test('a served JSON operation leaves the multipart one at its place not built, and the other way round', () => {
    const place = { wire: 'foundry', method: 'POST', path: '/agents/{any}/versions', summary: '' } as const;
    const left = (consumes: { consumes?: string }) =>
      coverageOf([{ name: 'agents', operations: { only: { ...place, ...consumes } }, handlers: {} }])
        .notBuilt.filter(({ method, path }) => method === 'POST' && path === '/agents/{agent_name}/versions')
        .map(({ operation }) => operation);
    expect(left({})).toEqual(['createVersionFromCode']);
    expect(left({ consumes: 'multipart/form-data' })).toEqual(['createVersion']);
  });
});

function sample(path: string): ContractRow {
  const row = rows.find((candidate) => candidate.path === path && candidate.method === 'GET');
  if (row === undefined) throw new Error(`The table has no GET ${path}.`);
  return row;
}
