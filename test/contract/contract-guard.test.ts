import { readFileSync } from 'node:fs';
import Type, { type TObject, type TSchema } from 'typebox';
import { describe, expect, test } from 'vitest';
import { compareContracts } from '../../scripts/contract/compare-contracts.ts';
import { type Contract, contractOf } from '../../scripts/contract/normal-form.ts';
import { presentContract, releasedContractFile, report } from '../../scripts/contract-guard.ts';
import { rules } from '../../src/kit/difference.ts';
import { multipart, type Operation, type Operations } from '../../src/kit/operation.ts';
import { Maybe, OneOf } from '../../src/kit/schema.ts';
import { UnionBy } from '../../src/kit/union.ts';
import { openApiDocument } from '../../src/openapi/document.ts';

const kinds = {
  text: Type.Object({ type: Type.Literal('text'), text: Type.String() }),
  image: Type.Object({ type: Type.Literal('image'), url: Type.String() }),
};

const body = {
  name: Type.String({ minLength: 1, maxLength: 64 }),
  note: Maybe(Type.String()),
  color: Maybe(OneOf('red', 'green')),
  count: Type.Optional(Type.Number({ maximum: 10 })),
  parts: Type.Optional(Type.Array(UnionBy('type', kinds), { maxItems: 5 })),
  labels: Type.Optional(Type.Record(Type.String(), Type.String({ maxLength: 10 }))),
};
const thing = {
  object: Type.Literal('thing'),
  id: Type.String(),
  state: OneOf('new', 'old'),
  size: Type.Integer(),
  parts: Type.Array(UnionBy('type', kinds)),
};
const query = { limit: Type.Optional(Type.Integer({ maximum: 100 })) };

interface Shape {
  body?: Record<string, TSchema>;
  closed?: boolean;
  thing?: Record<string, TSchema>;
  query?: Record<string, TSchema>;
  make?: Partial<Operation>;
  get?: Partial<Operation> | null;
  more?: Operations;
}

/** A contract of two operations, with what a change makes of it. */
function contract(change: Shape = {}): Contract {
  const options = change.closed ? { additionalProperties: false } : {};
  const shared = { wire: 'foundry', result: Type.Object({ ...thing, ...change.thing }) as TObject } as const;
  const operations: Operations = {
    make: {
      ...shared,
      method: 'POST',
      path: '/things',
      summary: 'Make a thing',
      body: Type.Object({ ...body, ...change.body }, options),
      ...change.make,
    },
    ...(change.get === null
      ? {}
      : {
          get: {
            ...shared,
            method: 'GET',
            path: '/things/{id}',
            summary: 'Get a thing',
            query: Type.Object({ ...query, ...change.query }),
            ...change.get,
          },
        }),
    ...change.more,
  };
  return contractOf(openApiDocument([{ name: 'things', operations, handlers: {} }], '1'));
}

const without = (fields: Record<string, TSchema>, name: string): TObject =>
  Type.Object(Object.fromEntries(Object.entries(fields).filter(([key]) => key !== name)));

const withFewerParts = Type.Optional(Type.Array(UnionBy('type', { text: kinds.text }), { maxItems: 5 }));
const withMoreParts = UnionBy('type', { ...kinds, sound: Type.Object({ type: Type.Literal('sound') }) });

const findings = (old: Contract, now: Contract): [string, string][] =>
  compareContracts(old, now).map(({ rule, at }) => [rule, at.replaceAll('/api/projects/{}', '')]);

const make = 'POST /things · body';

describe('changes that break clients, each by its rule', () => {
  test.each<[string, Shape, [string, string][]]>([
    ['an operation goes', { get: null }, [['removed', 'GET /things/{}']]],
    ['an operation is not built any more', { get: { notBuilt: true } }, [['removed', 'GET /things/{}']]],
    [
      'an operation moves',
      { get: { path: '/thing/{id}' } },
      [
        ['removed', 'GET /things/{}'],
        ['endpoint', 'GET /thing/{}'],
      ],
    ],
    ['a field of the request goes', { make: { body: without(body, 'note') } }, [['removed', `${make}.note`]]],
    [
      'a field of the answer goes',
      { get: { result: without(thing, 'size') } },
      [['removed', 'GET /things/{} · 200.size']],
    ],
    [
      'a field of the answer is not always there',
      { get: { result: Type.Object({ ...thing, size: Type.Optional(thing.size) }) } },
      [['removed', 'GET /things/{} · 200.size']],
    ],
    [
      'a query parameter goes',
      { get: { query: Type.Object({}) } },
      [['removed', 'GET /things/{} · query limit']],
    ],
    [
      'a field is named anew',
      { make: { body: Type.Object({ ...without(body, 'note').properties, remark: body.note }) } },
      [
        ['removed', `${make}.note`],
        ['field', `${make}.remark`],
      ],
    ],
    [
      'a field of the request has another type',
      { body: { note: Maybe(Type.Integer()) } },
      [
        ['retyped', `${make}.note`],
        ['loosened', `${make}.note`],
      ],
    ],
    [
      'a field of the request may not be null any more',
      { body: { note: Type.Optional(Type.String()) } },
      [['retyped', `${make}.note`]],
    ],
    [
      'a number has to be whole',
      { body: { count: Type.Optional(Type.Integer({ maximum: 10 })) } },
      [['retyped', `${make}.count`]],
    ],
    [
      'a field of the answer has another type',
      { get: { result: Type.Object({ ...thing, size: Type.String() }) } },
      [
        ['loosened', 'GET /things/{} · 200.size'],
        ['retyped', 'GET /things/{} · 200.size'],
      ],
    ],
    [
      'a field of the answer may be null',
      { get: { result: Type.Object({ ...thing, size: Type.Union([thing.size, Type.Null()]) }) } },
      [['retyped', 'GET /things/{} · 200.size']],
    ],
    [
      'an object names itself otherwise',
      { get: { result: Type.Object({ ...thing, object: Type.Literal('item') }) } },
      [
        ['retyped', 'GET /things/{} · 200.object'],
        ['value', 'GET /things/{} · 200.object'],
      ],
    ],
    [
      'success has another status',
      { make: { status: 201 } },
      [
        ['retyped', 'POST /things · 200'],
        ['retyped', 'POST /things · 201'],
      ],
    ],
    [
      'a form instead of JSON',
      { make: { consumes: multipart } },
      [
        ['retyped', make],
        ['loosened', make],
      ],
    ],
    [
      'an optional field is needed',
      { body: { count: Type.Number({ maximum: 10 }) } },
      [['required', `${make}.count`]],
    ],
    ['a new field is needed', { body: { extra: Type.String() } }, [['required', `${make}.extra`]]],
    [
      'a new query parameter is needed',
      { query: { scope: Type.String() } },
      [['required', 'GET /things/{} · query scope']],
    ],
    [
      'a preview header is needed',
      { get: { preview: 'Things=V1Preview' } },
      [['header', 'GET /things/{} · header Foundry-Features']],
    ],
    ['fewer values are taken', { body: { color: Maybe(OneOf('red')) } }, [['tightened', `${make}.color`]]],
    ['only some values are taken', { body: { note: Maybe(OneOf('a')) } }, [['tightened', `${make}.note`]]],
    [
      'a kind of element is not taken any more',
      { body: { parts: withFewerParts } },
      [['tightened', `${make}.parts[]`]],
    ],
    [
      'a text may be less long',
      { body: { name: Type.String({ minLength: 1, maxLength: 63 }) } },
      [['tightened', `${make}.name`]],
    ],
    [
      'a text has to be longer',
      { body: { name: Type.String({ minLength: 2, maxLength: 64 }) } },
      [['tightened', `${make}.name`]],
    ],
    [
      'a text has to have a form',
      { body: { name: Type.String({ minLength: 1, maxLength: 64, pattern: '^a' }) } },
      [['tightened', `${make}.name`]],
    ],
    [
      'fewer elements are taken',
      { body: { parts: Type.Optional(Type.Array(UnionBy('type', kinds), { maxItems: 4 })) } },
      [['tightened', `${make}.parts`]],
    ],
    [
      'values by name are shorter',
      { body: { labels: Type.Optional(Type.Record(Type.String(), Type.String({ maxLength: 9 }))) } },
      [['tightened', `${make}.labels.*`]],
    ],
    ['unknown fields are refused', { closed: true }, [['tightened', `${make}.*`]]],
    [
      'pages are smaller',
      { query: { limit: Type.Optional(Type.Integer({ maximum: 50 })) } },
      [['tightened', 'GET /things/{} · query limit']],
    ],
  ])('%s', (_, change, expected) => {
    const found = findings(contract(), contract(change));
    expect(found).toEqual(expected);
    expect(found.some(([rule]) => rules[rule as keyof typeof rules].breaking)).toBe(true);
  });
});

describe('changes that break nobody', () => {
  test.each<[string, Shape, [string, string][]]>([
    ['nothing', {}, []],
    [
      'an optional field of the request',
      { body: { extra: Maybe(Type.String()) } },
      [['field', `${make}.extra`]],
    ],
    [
      'a field of the answer',
      { get: { result: Type.Object({ ...thing, extra: Type.String() }) } },
      [['field', 'GET /things/{} · 200.extra']],
    ],
    [
      'a query parameter',
      { query: { scope: Type.Optional(Type.String()) } },
      [['field', 'GET /things/{} · query scope']],
    ],
    [
      'an operation',
      { more: { list: { method: 'GET', path: '/things', summary: 'List', wire: 'foundry' } } },
      [['endpoint', 'GET /things']],
    ],
    [
      'a value of the request',
      { body: { color: Maybe(OneOf('red', 'green', 'blue')) } },
      [['value', `${make}.color`]],
    ],
    [
      'a value of the answer',
      { get: { result: Type.Object({ ...thing, state: OneOf('new', 'old', 'lost') }) } },
      [['value', 'GET /things/{} · 200.state']],
    ],
    [
      'a kind of element in the answer',
      { get: { result: Type.Object({ ...thing, parts: Type.Array(withMoreParts) }) } },
      [['value', 'GET /things/{} · 200.parts[]']],
    ],
    [
      'a longer text',
      { body: { name: Type.String({ minLength: 1, maxLength: 65 }) } },
      [['loosened', `${make}.name`]],
    ],
    [
      'a required field that may be left out',
      { body: { name: Type.Optional(body.name) } },
      [['loosened', `${make}.name`]],
    ],
    [
      'other words',
      { make: { summary: 'Make something' }, body: { note: Maybe(Type.String({ description: 'A note' })) } },
      [],
    ],
  ])('%s', (_, change, expected) => {
    const found = findings(contract(), contract(change));
    expect(found).toEqual(expected);
    expect(found.some(([rule]) => rules[rule as keyof typeof rules].breaking)).toBe(false);
  });

  test('what was not built is built, whatever it needs', () => {
    const old = contract({ make: { notBuilt: true } });
    expect(findings(old, contract())).toEqual([['endpoint', 'POST /things']]);
  });
});

test('the report names the place, the change and the rule', () => {
  const [line] = report(compareContracts(contract(), contract({ get: null })));
  expect(line).toBe(
    'BREAKING  GET /api/projects/{}/things/{}: operation removed. Rule: Removing fields, routes, or operations.',
  );
});

test('the released contract is broken by changes planted in it, one of each kind', async () => {
  const released = JSON.parse(readFileSync(releasedContractFile, 'utf8')) as Contract;
  const present = await presentContract();
  const planted = structuredClone(present);
  const at = (place: string) => planted.operations[place] as Contract['operations'][string];
  const base = '/api/projects/{}';
  delete planted.operations[`GET ${base}/agents`];
  at(`GET ${base}/agents/{}`).answers[200] = { 'application/json': { type: 'array' } };
  at(`GET ${base}/connections`).parameters['header x-new'] = { required: true, schema: { type: 'string' } };
  const create = at(`POST ${base}/agents`).body as NonNullable<ReturnType<typeof at>['body']>;
  const { CreateAgent: schema } = planted.schemas as Record<
    string,
    { required: string[]; properties: object }
  >;
  expect(create.media['application/json']).toEqual({ $ref: '#/components/schemas/CreateAgent' });
  schema?.required.push('metadata');
  Object.assign(schema?.properties ?? {}, { state: { type: 'string', enum: ['enabled'] } });
  const found = compareContracts(released, planted).filter(({ rule }) => rules[rule].breaking);
  expect(new Set(found.map(({ rule }) => rule))).toEqual(
    new Set(['removed', 'retyped', 'required', 'header', 'tightened']),
  );
});
