import OpenAI from 'openai';
import type { Family } from '../../../kit/operation.ts';
import { createModelGateway, type ModelGateway } from '../../../providers/models/gateway.ts';
import {
  type Answer,
  type FakeUpstream,
  fakeUpstream,
  recordedLog,
  upstreamAt,
} from '../../../providers/models/testing/fake-upstream.ts';
import { type TestApp, testApp, testKey } from '../../testing/test-app.ts';

export interface UpstreamApp extends Pick<TestApp, 'call'> {
  client: OpenAI;
  /** The project's address. */
  url: string;
  upstream: FakeUpstream;
  /** The form that the upstream was sent with its latest request. */
  form(): Promise<FormData>;
  close(): Promise<void>;
}

/** A family over a model server that answers as told; its deployment is `mine`, and `claude` is one of Anthropic's. */
export async function upstreamApp(
  familyOf: (models: ModelGateway) => Family,
  answer: Answer,
): Promise<UpstreamApp> {
  const upstream = await fakeUpstream(answer);
  const models = await createModelGateway({
    config: {
      deployments: [
        upstreamAt(`${upstream.url}/v1`, { name: 'mine' }),
        upstreamAt(upstream.url, { name: 'claude', provider: 'anthropic' }),
      ],
      discovery: false,
      scenarios: [],
    },
    environment: {},
    log: recordedLog(),
  });
  const app = await testApp(familyOf(models));
  const url = await app.listen();
  return {
    call: app.call,
    client: new OpenAI({ apiKey: testKey, baseURL: `${url}/openai/v1`, maxRetries: 0 }),
    url,
    upstream,
    form() {
      const { bytes, headers } = upstream.requests.at(-1) ?? { bytes: Buffer.alloc(0), headers: {} };
      const contentType = headers['content-type'] ?? '';
      return new Response(new Uint8Array(bytes), { headers: { 'content-type': contentType } }).formData();
    },
    async close() {
      await app.close();
      await upstream.close();
    },
  };
}
