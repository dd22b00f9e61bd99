import type { Family, Operation } from '../../../kit/operation.ts';

/** What a project has, by kind: ids that the server made, and names that its users chose. */
export type World = Record<Kind, string>;

export type Kind =
  | ('conversation' | 'item' | 'response' | 'completion' | 'container' | 'container_file' | 'file')
  | ('vector_store' | 'batch' | 'upload' | 'part' | 'agent' | 'connection' | 'dataset' | 'index');

/** A call that names things, as a path and a body made from them. */
export interface NamingCall {
  name: string;
  method: Operation['method'];
  kinds: readonly Kind[];
  /** Whether nothing is an answer: an empty list, or a deletion that has nothing to delete. */
  isQuiet: boolean;
  path(things: readonly string[]): string;
  body?(things: readonly string[]): unknown;
  headers?: Record<string, string>;
}

/** Whoever sends a new name there makes something in their own project. */
const making = [
  'agents.createVersion',
  'connections.set',
  'datasets.createOrUpdate',
  'datasets.pendingUpload',
  'indexes.createOrUpdate',
];
/** Deleting what is not there is no fault. */
const quiet = ['datasets.delete', 'indexes.delete'];
/** Of the server, not of projects. */
const shared = ['deployments', 'models', 'registered-models', 'not-built', 'projects'];

const kindsOf: Record<string, Kind> = {
  conversation_id: 'conversation',
  item_id: 'item',
  response_id: 'response',
  completion_id: 'completion',
  container_id: 'container',
  file_id: 'file',
  vector_store_id: 'vector_store',
  batch_id: 'batch',
  upload_id: 'upload',
  agent_name: 'agent',
};
const namesOf: Record<string, Kind> = { connections: 'connection', datasets: 'dataset', indexes: 'index' };

const form = { 'content-type': 'multipart/form-data; boundary=x' };
const file = (field: string) =>
  `--x\r\ncontent-disposition: form-data; name="${field}"; filename="a.txt"\r\ncontent-type: text/plain\r\n\r\nhello\r\n--x--\r\n`;

/** Bodies that would do, were the things there. */
const bodies: Record<string, unknown> = {
  'agents.update': { definition: { kind: 'prompt', model: 'my-model' } },
  'agents.patchAgentObject': { agent_card: null },
  'conversations.update': { metadata: {} },
  'conversations.createItems': { items: [{ role: 'user', content: 'Hi' }] },
  'chat-completions.update': { metadata: {} },
  'containers.uploadFile': file('file'),
  'vector-stores.update': { name: 'x' },
  'vector-stores.search': { query: 'apple' },
  'vector-stores.updateFile': { attributes: {} },
  'uploads.addPart': file('data'),
  'uploads.complete': { part_ids: [] },
};

/** Every operation with parameters in its path, in every place where it is served. */
export function pathCalls(families: readonly Family[]): NamingCall[] {
  return families.flatMap(({ name: family, operations }) =>
    Object.entries(operations).flatMap(([key, operation]) => {
      const name = `${family}.${key}`;
      if (operation.wire === 'admin' || shared.includes(family) || making.includes(name)) return [];
      const own = operation.onAgentEndpoint ? ['/agents/{agent_name}/endpoint/protocols/openai'] : [];
      return [operation.wire === 'openai' ? '/v1' : '', ...own].flatMap((prefix) =>
        callOf(family, name, prefix + operation.path, operation),
      );
    }),
  );
}

function callOf(family: string, name: string, template: string, operation: Operation): NamingCall[] {
  const slots = [...template.matchAll(/\{(\w+)\}/g)].map(([, slot]) => slot ?? '');
  const named = slots.filter((slot) => slot !== 'version' && slot !== 'agent_version');
  if (named.length === 0) return [];
  const kinds = named.map((slot) => {
    if (slot === 'file_id' && family === 'containers') return 'container_file';
    const kind = slot === 'name' ? namesOf[family] : kindsOf[slot];
    if (kind === undefined) throw new Error(`What '{${slot}}' of ${name} names is not known here.`);
    return kind;
  });
  const body = bodies[name] ?? (operation.body === undefined ? undefined : referringBodies[name]);
  return [
    {
      name,
      method: operation.method,
      kinds,
      isQuiet: /list/i.test(name) || quiet.includes(name),
      path(things) {
        const left = [...things];
        return template.replace(/\{(\w+)\}/g, (_, slot) =>
          named.includes(slot) ? (left.shift() ?? '') : '1',
        );
      },
      ...(body === undefined ? {} : { body: () => body }),
      ...(operation.consumes === 'multipart/form-data' ? { headers: form } : {}),
    },
  ];
}

const none = 'file_0000000000000000000000000000000000000000000000';
const referringBodies: Record<string, unknown> = {
  'containers.createFile': { file_id: none },
  'vector-stores.createFile': { file_id: none },
  'vector-stores.createBatch': { file_ids: [none] },
};

const inBody = (
  name: string,
  path: string | ((things: readonly string[]) => string),
  kinds: readonly Kind[],
  body: (thing: string) => unknown,
): NamingCall => ({
  name,
  method: 'POST',
  kinds,
  isQuiet: false,
  path: typeof path === 'string' ? () => path : path,
  body: (things) => body(things.at(-1) ?? ''),
});

const responding = (kind: Kind, what: (thing: string) => object): NamingCall[] =>
  ['/v1/responses', '/v1/responses/input_tokens'].map((path) =>
    inBody(`${path} ${kind}`, path, [kind], (thing) => ({ model: 'my-model', input: 'x', ...what(thing) })),
  );
const userPart = (part: object) => ({ input: [{ role: 'user', content: [part] }] });
const reference = (id: string) => [{ type: 'item_reference', id }];

/** Things that bodies name. */
export const bodyCalls: readonly NamingCall[] = [
  ...responding('response', (id) => ({ previous_response_id: id })),
  ...responding('conversation', (id) => ({ conversation: id })),
  ...responding('item', (id) => ({ input: reference(id) })),
  ...responding('file', (id) => userPart({ type: 'input_file', file_id: id })),
  ...responding('file', (id) => userPart({ type: 'input_image', file_id: id, detail: 'auto' })),
  ...responding('vector_store', (id) => ({ tools: [{ type: 'file_search', vector_store_ids: [id] }] })),
  ...responding('container', (id) => ({ tools: [{ type: 'code_interpreter', container: id }] })),
  ...responding('file', (id) => ({
    tools: [{ type: 'code_interpreter', container: { type: 'auto', file_ids: [id] } }],
  })),
  ...responding('agent', (name) => ({
    model: undefined,
    agent_reference: { type: 'agent_reference', name },
  })),
  inBody('conversations.create', '/v1/conversations', ['item'], (id) => ({ items: reference(id) })),
  inBody(
    'conversations.createItems',
    ([id]) => `/v1/conversations/${id}/items`,
    ['conversation', 'item'],
    (id) => ({ items: reference(id) }),
  ),
  inBody('vector-stores.create', '/v1/vector_stores', ['file'], (id) => ({ file_ids: [id] })),
  inBody(
    'vector-stores.createFile',
    ([id]) => `/v1/vector_stores/${id}/files`,
    ['vector_store', 'file'],
    (id) => ({ file_id: id }),
  ),
  inBody(
    'vector-stores.createBatch',
    ([id]) => `/v1/vector_stores/${id}/file_batches`,
    ['vector_store', 'file'],
    (id) => ({ files: [{ file_id: id }] }),
  ),
  inBody('containers.create', '/v1/containers', ['file'], (id) => ({ name: 'x', file_ids: [id] })),
  inBody(
    'containers.createFile',
    ([id]) => `/v1/containers/${id}/files`,
    ['container', 'file'],
    (id) => ({ file_id: id }),
  ),
  inBody(
    'uploads.complete',
    ([id]) => `/v1/uploads/${id}/complete`,
    ['upload', 'part'],
    (id) => ({ part_ids: [id] }),
  ),
  inBody('chat-completions.create', '/v1/chat/completions', ['file'], (id) => ({
    model: 'my-model',
    messages: [{ role: 'user', content: [{ type: 'file', file: { file_id: id } }] }],
  })),
];

/** Lists that are read on from something. */
export const cursorCalls: readonly NamingCall[] = (
  [
    ['conversation', '/v1/conversations'],
    ['response', '/v1/responses'],
    ['completion', '/v1/chat/completions'],
    ['file', '/v1/files'],
    ['vector_store', '/v1/vector_stores'],
    ['container', '/v1/containers'],
    ['agent', '/agents'],
  ] as const
).map(([kind, path]) => ({
  name: `${path} after ${kind}`,
  method: 'GET',
  kinds: [kind],
  isQuiet: true,
  path: ([thing]) => `${path}?after=${thing}`,
}));
