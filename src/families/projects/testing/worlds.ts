import type { World } from './foreign-calls.ts';
import type { ProjectApp } from './project-app.ts';

/** Stands in all that the other project has. */
export const marker = 'only-theirs';

/** One of each kind in a project; `mark` stands in all of them. */
export async function furnishedWorld(app: ProjectApp, project: string, mark: string): Promise<World> {
  const call = app.in(project);
  const make = async (
    path: string,
    body: unknown,
    headers?: Record<string, string>,
    method = 'POST' as 'PUT' | 'PATCH' | 'POST',
  ) => {
    const reply = await call(method, path, body, headers);
    if (reply.status >= 300) throw new Error(`${path}: ${reply.text}`);
    return String(reply.json.id);
  };
  const file = await app.upload(project, `${mark}.txt`, `apple ${mark}`);
  const conversation = await make('/v1/conversations', { items: [{ role: 'user', content: mark }] });
  const items = (await call('GET', `/v1/conversations/${conversation}/items`)).json.data as [{ id: string }];
  const turn = { model: 'my-model', input: mark };
  const vector_store = await make('/v1/vector_stores', { name: mark });
  const batch = await make(`/v1/vector_stores/${vector_store}/file_batches`, { file_ids: [file] });
  await app.filled(project, vector_store);
  const container = await make('/v1/containers', { name: mark });
  const upload = await make('/v1/uploads', {
    ...{ filename: `${mark}.txt`, purpose: 'assistants', bytes: 5, mime_type: 'text/plain' },
  });
  const definition = { kind: 'prompt', model: 'my-model', instructions: mark };
  await make(`/agents/${mark}-agent/versions`, { definition });
  await make(
    `/connections/${mark}-link`,
    { type: 'CognitiveSearch', target: `https://${mark}.example` },
    {},
    'PUT',
  );
  const merged = { 'content-type': 'application/merge-patch+json' };
  const index = { type: 'AzureSearch', connectionName: `${mark}-link`, indexName: mark };
  await make(`/indexes/${mark}-index/versions/1`, index, merged, 'PATCH');
  const store = {
    type: 'AzureBlob',
    target: 'https://acc.blob.core.windows.net/',
    credentials: { type: 'AAD' },
  };
  await make(`/connections/${mark}-store`, store, {}, 'PUT');
  const dataUri = 'https://acc.blob.core.windows.net/x/a.txt';
  const dataset = { type: 'uri_file', dataUri, connectionName: `${mark}-store`, description: mark };
  await make(`/datasets/${mark}-data/versions/1`, dataset, merged, 'PATCH');
  const part = '--x\r\ncontent-disposition: form-data; name="data"; filename="a"\r\n\r\nhello\r\n--x--\r\n';
  const form = { 'content-type': 'multipart/form-data; boundary=x' };
  return {
    ...{ file, conversation, vector_store, batch, container, upload },
    item: items[0].id,
    response: await make('/v1/responses', turn),
    completion: await make('/v1/chat/completions', {
      ...{ model: 'my-model', messages: [{ role: 'user', content: mark }], store: true, metadata: { mark } },
    }),
    container_file: await make(`/v1/containers/${container}/files`, { file_id: file }),
    part: await make(`/v1/uploads/${upload}/parts`, part, form),
    agent: `${mark}-agent`,
    connection: `${mark}-link`,
    dataset: `${mark}-data`,
    index: `${mark}-index`,
  };
}

const isMadeByServer = (thing: string): boolean => /_[0-9a-f]{30,}/.test(thing);
/** Of the same form, and of nothing. */
export function ghostOf(thing: string, chance: (below: number) => number): string {
  if (!isMadeByServer(thing)) return thing.replace(marker, 'nobody-has');
  const digits = Array.from({ length: 12 }, () => chance(16).toString(16)).join('');
  return thing.slice(0, 20) + digits + thing.slice(32);
}
