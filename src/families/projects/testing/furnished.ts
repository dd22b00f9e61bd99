import type { TestReply } from '../../testing/test-app.ts';
import type { ProjectApp } from './project-app.ts';

/** The id of what was made. */
export function made({ status, json, text }: TestReply): string {
  if (status !== 200 && status !== 201) throw new Error(text);
  return String(json.id);
}

export const agent = (model: string) => ({ definition: { kind: 'prompt', model, instructions: 'Be kind.' } });
const user = (content: string) => ({ role: 'user', content });

/** One of each kind of thing. */
export async function furnished(app: ProjectApp, project: string) {
  const call = app.in(project);
  made(await call('POST', '/agents/helper/versions', agent('my-model')));
  made(await call('POST', '/agents/helper/versions', agent('other-model')));
  const conversation = made(await call('POST', '/v1/conversations', { items: [user('Hi')] }));
  const inConversation = made(
    await call('POST', '/v1/responses', { model: 'my-model', input: 'a', conversation }),
  );
  const response = made(await call('POST', '/v1/responses', { model: 'my-model', input: 'b' }));
  const completion = made(
    await call('POST', '/v1/chat/completions', {
      ...{ model: 'my-model', messages: [user('Hi')], store: true, metadata: { a: 'b' } },
    }),
  );
  await call('PUT', '/connections/search', {
    ...{ type: 'ApiKey', target: 'https://search.example' },
    credentials: { type: 'ApiKey', key: 'secret' },
  });
  const file = await app.upload(project, 'a.txt', 'apple pear\napple\nplum');
  const store = made(await call('POST', '/v1/vector_stores', { file_ids: [file] }));
  await app.filled(project, store);
  return { conversation, inConversation, response, completion, file, store };
}
