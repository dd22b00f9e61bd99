import { afterEach, expect, test } from 'vitest';
import { finish, hangs, says, scriptedModel } from '../testing/scripted-model.ts';
import { type WholeApp, wholeApp } from '../testing/whole-app.ts';

let app: WholeApp | undefined;
afterEach(async () => {
  await app?.close();
  app = undefined;
});

test('a response whose stream lasts too long fails, and makes room for the next', async () => {
  const model = scriptedModel([...says('Hel'), (signal) => hangs(signal)], [...says('Hello.'), finish()]);
  app = await wholeApp({ m: model.provider }, { limits: { streamSeconds: 1, concurrentStreams: 1 } });
  const base = await app.listen();
  const ask = (stream: boolean) =>
    fetch(`${base}/openai/v1/responses`, {
      method: 'POST',
      headers: { 'api-key': 'key', 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'm', input: 'Hi', stream }),
    });
  const first = await ask(true);
  const second = await ask(true);
  expect(second.status).toBe(429);
  expect(await second.json()).toMatchObject({ error: { param: 'limits.concurrentStreams' } });

  const text = await first.text();
  const id = /"id":"(resp_\w+)"/.exec(text)?.[1];
  const last = JSON.parse(/^data: (.*"response.failed".*)$/m.exec(text)?.[1] ?? 'null');
  const failure = { code: 'quota_exceeded', message: expect.stringContaining('limits.streamSeconds') };
  expect(last).toMatchObject({ type: 'response.failed', response: { id, status: 'failed', error: failure } });
  expect(model.ended).toBe(1);
  const { json } = await app.call('GET', `/openai/v1/responses/${id}`);
  expect(json).toMatchObject({ status: 'failed', error: failure });

  const third = await ask(true);
  expect(third.status).toBe(200);
  expect(await third.text()).toContain('response.completed');
});
