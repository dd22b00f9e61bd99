/** What data directories of earlier versions are filled with. Families a version does not have answer 501, and are left out. */

export type Call = (
  method: string,
  path: string,
  body?: unknown,
) => Promise<{ status: number; body: unknown }>;

type Made = Record<string, unknown> & { id: string };

const native = (path: string): string => `${path}${path.includes('?') ? '&' : '?'}api-version=v1`;
const openai = (path: string): string => `/openai/v1${path}`;

/** Makes something of each family; answers the requests that read it. */
export async function populate(call: Call): Promise<[method: string, path: string][]> {
  const reads: [string, string][] = [];
  const read = (path: string): void => void reads.push(['GET', path]);
  const make = async (method: string, path: string, body?: unknown): Promise<Made | null> => {
    const reply = await call(method, path, body);
    if (reply.status === 501) return null;
    if (reply.status >= 300) throw new Error(`${method} ${path}: ${JSON.stringify(reply)}`);
    return reply.body as Made;
  };

  const tools = [
    { type: 'function', name: 'weather', parameters: { type: 'object' }, future: { kept: true } },
  ];
  const definition = { kind: 'prompt', model: 'builtin', instructions: 'Be brief, {{name}}.', tools };
  await make('POST', native('/agents/guide/versions'), { definition, metadata: { team: 'docs' } });
  await make('POST', native('/agents/guide/versions'), { definition: { kind: 'prompt', model: 'builtin' } });
  read(native('/agents/guide'));
  read(native('/agents/guide/versions?order=asc'));
  read(native('/agents/guide/versions/1'));

  const items = [{ type: 'message', role: 'user', content: 'I live in Tromsø.' }];
  const conversation = await make('POST', openai('/conversations'), { metadata: { topic: 'trip' }, items });
  await make('POST', openai('/responses'), {
    agent_reference: { type: 'agent_reference', name: 'guide' },
    conversation: conversation?.id,
    input: 'What should I see? ✓',
  });
  read(openai(`/conversations/${conversation?.id}`));
  read(openai(`/conversations/${conversation?.id}/items?order=asc`));

  for (const extra of [{}, { stream: true }, { background: true, stream: true }]) {
    const input = [{ role: 'user', content: [{ type: 'input_text', text: "Line one\nline 'two'" }] }];
    const response = await make('POST', openai('/responses'), { model: 'builtin', input, ...extra });
    if (response === null) continue;
    read(openai(`/responses/${response.id}`));
    read(openai(`/responses/${response.id}/input_items`));
    if ('stream' in extra) read(openai(`/responses/${response.id}?stream=true`));
  }

  const messages = [{ role: 'user', content: 'Hello.' }];
  const chat = await make('POST', openai('/chat/completions'), { model: 'builtin', messages, store: true });
  read(openai(`/chat/completions/${chat?.id}`));
  read(openai(`/chat/completions/${chat?.id}/messages`));

  await make('PUT', native('/connections/search'), {
    type: 'CognitiveSearch',
    target: 'https://mine.search.windows.net/',
    credentials: { type: 'ApiKey', key: 'kept-secret' },
  });
  read(native('/connections/search'));
  reads.push(['POST', native('/connections/search/getConnectionWithCredentials')]);

  // Not read: its time is over soon.
  await make('POST', openai('/containers'), { name: 'box' });

  const index = { type: 'ManagedAzureSearch', vectorStoreId: 'vs_1', tags: { a: 'b' } };
  if ((await make('PATCH', native('/indexes/places/versions/1'), index)) !== null) {
    read(native('/indexes/places/versions'));
  }
  const store = await make('POST', openai('/vector_stores'), { name: 'notes', metadata: { a: 'b' } });
  if (store !== null) read(openai(`/vector_stores/${store.id}`));

  const form = new FormData();
  form.append('purpose', 'user_data');
  form.append('file', new Blob(['what is in the file']), 'note.txt');
  const file = await make('POST', openai('/files'), form);
  if (file !== null) {
    read(openai(`/files/${file.id}`));
    read(openai(`/files/${file.id}/content`));
  }
  return reads;
}

/** One project of a server that listens on loopback. Streams are answered as their text, or when something is made by the response. */
export function callTo(port: number, key: string): Call {
  return async (method, path, body) => {
    const isForm = body instanceof FormData;
    const reply = await fetch(`http://127.0.0.1:${port}/api/projects/default${path}`, {
      method,
      headers: {
        'api-key': key,
        ...(body === undefined || isForm ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: isForm ? body : JSON.stringify(body) }),
    });
    const text = await reply.text();
    const type = reply.headers.get('content-type') ?? '';
    if (type.startsWith('application/json')) return { status: reply.status, body: JSON.parse(text) };
    if (method === 'POST' && type.startsWith('text/event-stream')) {
      const last = /data: (\{"type":"response\.completed".*\})/.exec(text)?.[1] ?? '{}';
      return { status: reply.status, body: (JSON.parse(last) as { response?: unknown }).response };
    }
    return { status: reply.status, body: text };
  };
}
