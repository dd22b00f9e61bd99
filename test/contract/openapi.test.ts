import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type OpenFamilies, openFamilies } from '../../scripts/open-families.ts';
import { contractRows } from '../../src/families/not-built/contract-rows.ts';
import { type TestApp, testApp } from '../../src/families/testing/test-app.ts';
import type { OpenApiDocument } from '../../src/openapi/document.ts';

let opened: OpenFamilies;
let app: TestApp;
let address: string;
let document: OpenApiDocument;
let operations: { place: string; operation: Operation }[];

interface Operation {
  operationId: string;
  parameters: { $ref?: string; in?: string; name?: string }[];
  responses: Record<string, unknown>;
  'x-not-implemented'?: boolean;
}

beforeAll(async () => {
  opened = await openFamilies();
  app = await testApp(...opened.families);
  address = new URL('/openapi.json', await app.listen()).href;
  document = (await (await fetch(address)).json()) as OpenApiDocument;
  operations = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({
      place: `${method.toUpperCase()} ${path}`,
      operation: operation as unknown as Operation,
    })),
  );
});
afterAll(async () => {
  await app.close();
  await opened.close();
});

test('the document is served without a credential, and not again to who has it', async () => {
  const reply = await fetch(address);
  expect([reply.status, reply.headers.get('content-type')]).toEqual([200, 'application/json; charset=utf-8']);
  const etag = reply.headers.get('etag') ?? '';
  const again = await fetch(address, { headers: { 'if-none-match': etag } });
  expect([again.status, await again.text()]).toEqual([304, '']);
});

test('it is OpenAPI 3.1', async () => {
  const { valid, errors } = await new Validator().validate(structuredClone(document));
  expect(errors).toBeUndefined();
  expect(valid).toBe(true);
});

test('it has every operation of both halves, and says which are not built', async () => {
  const blind = (text: string) => text.replace(/\{\w+\}/g, '{}');
  const places = new Map(operations.map(({ place, operation }) => [blind(place), operation]));
  for (const { wire, method, path } of contractRows()) {
    const place = `${method} /api/projects/{project}${wire === 'openai' ? '/openai/v1' : ''}${path}`;
    expect([place, places.has(blind(place))]).toEqual([place, true]);
  }
  for (const { operation } of operations) {
    expect('501' in operation.responses).toBe(operation['x-not-implemented'] === true);
  }
});

test('names of operations are unique, and every parameter of a path is declared', () => {
  const ids = operations.map(({ operation }) => operation.operationId);
  expect(ids.filter((id, i) => ids.indexOf(id) !== i)).toEqual([]);
  for (const { place, operation } of operations) {
    const declared = operation.parameters
      .map(({ $ref = '', ...own }) => document.components.parameters?.[$ref.split('/').at(-1) ?? ''] ?? own)
      .filter((parameter) => parameter.in === 'path')
      .map(({ name }) => name);
    const named = [...place.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    expect([place, declared]).toEqual([place, named]);
  }
});

test('every reference leads somewhere, every shared schema is used, and each can be compiled', () => {
  const references = new Set(JSON.stringify(document).match(/#\/components\/[A-Za-z]+\/\w+/g));
  const there = Object.entries(document.components).flatMap(([kind, members]) =>
    Object.keys(members).map((name) => `#/components/${kind}/${name}`),
  );
  expect([...references].filter((reference) => !there.includes(reference))).toEqual([]);
  const schemas = there.filter((reference) => reference.startsWith('#/components/schemas/'));
  expect(schemas.filter((reference) => !references.has(reference))).toEqual([]);

  const ajv = new Ajv2020({ strict: false });
  ajv.addSchema({ $id: 'bloomery', components: document.components });
  for (const reference of schemas) expect(ajv.getSchema(`bloomery${reference}`)).toBeTypeOf('function');
});
