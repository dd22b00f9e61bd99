/** What clients make of every kind of fault: `kinds.json`, by which the Python clients are tested, too. */
import { AIProjectClient, RestError } from '@azure/ai-projects';
import OpenAI, { APIConnectionError, APIError } from 'openai';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { BrokenStreamError, createClient, FoundryError, NoAnswerError } from '../../../src/client/index.ts';
import { faultKinds } from '../../../src/kit/fault-plan.ts';
import { type Fault, type Project, type StartedServer, startServer } from '../../../src/testing/index.ts';
import kinds from './kinds.json' with { type: 'json' };

interface Kind {
  name: string;
  call: string;
  fault: object;
  /** The time of an attempt. */
  timeoutMs?: number;
  /** By client; `-js` and `-python` where the two differ. */
  expect: Record<string, string>;
}
type Calls = Record<string, () => Promise<string>>;

const question = { model: 'builtin', input: 'Look up the weather in Oslo.' };
const definition = { kind: 'prompt' as const, model: 'builtin', instructions: '' };
/** A service that is not there: its calls run out of time before they are made. */
const weather = {
  type: 'openapi',
  openapi: {
    name: 'weather',
    auth: { type: 'anonymous' },
    spec: {
      openapi: '3.1.0',
      info: { title: 'Weather', version: '1' },
      servers: [{ url: 'http://127.0.0.1:9' }],
      paths: {
        '/weather': {
          get: { operationId: 'lookUp', description: 'Look up the weather.', responses: { 200: {} } },
        },
      },
    },
  },
};

const toldOf = (output: { type: string; status?: unknown }[]): string =>
  output.some(({ type, status }) => type === 'openapi_call' && status === 'failed') &&
  output.at(-1)?.type === 'message'
    ? 'ok, without the tool'
    : 'ok';
const lastOf = (type: string | undefined): string =>
  type === 'response.completed' ? 'ok' : type === 'response.failed' ? 'failed' : `ends with ${type}`;

async function done(work: Promise<unknown>): Promise<string> {
  await work;
  return 'ok';
}

async function lastEvent(events: AsyncIterable<{ type: string }>): Promise<string> {
  let last: string | undefined;
  try {
    for await (const { type } of events) last = type;
  } catch (error) {
    if (error instanceof APIError && error.status !== undefined) throw error;
    return 'broken';
  }
  return lastOf(last);
}

function openaiCalls({ endpoint, key }: Project, timeout = 60_000): Calls {
  const { responses } = new OpenAI({
    ...{ baseURL: `${endpoint}/openai/v1`, apiKey: key, timeout, logLevel: 'off' as const },
  });
  return {
    create: async () => toldOf((await responses.create(question)).output),
    tool: async () => toldOf((await responses.create({ ...question, tools: [weather as never] })).output),
    stream: async () => lastEvent(await responses.create({ ...question, stream: true })),
  };
}

function azureCalls({ endpoint, credential }: Project, milliseconds = 60_000): Calls {
  const retryOptions = { maxRetries: 2, retryDelayInMs: 1, maxRetryDelayInMs: 1 };
  const { agents } = new AIProjectClient(endpoint, credential, { retryOptions });
  const options = () => ({ abortSignal: AbortSignal.timeout(milliseconds) });
  return {
    list: () => done(Array.fromAsync(agents.list(options()))),
    make: () => done(agents.createVersion('made', definition, options())),
  };
}

function kitCalls({ endpoint, key }: Project, timeoutMs = 60_000): Calls {
  const retry = { attempts: 3, baseMs: 1 };
  // Node's own client does not always tell that a connection is gone.
  const idleMs = 5000;
  const { agents, responses } = createClient({ endpoint, credential: { key }, retry, timeoutMs, idleMs });
  const tools = [weather as never];
  return {
    create: async () => toldOf((await responses.create({ body: question })).output),
    tool: async () => toldOf((await responses.create({ body: { ...question, tools } })).output),
    stream: async () => lastEvent(await responses.create.stream({ body: question })),
    list: () => done(Array.fromAsync(agents.list.all())),
    make: () => done(agents.createVersion({ params: { agent_name: 'made' }, body: { definition } })),
  };
}

const clients: Record<string, (project: Project, timeoutMs?: number) => Calls> = {
  openai: openaiCalls,
  azure: azureCalls,
  kit: kitCalls,
};

function outcomeOf(error: unknown): string {
  if (error instanceof BrokenStreamError) return 'broken';
  if (error instanceof APIConnectionError || error instanceof NoAnswerError) return 'no answer';
  if (error instanceof APIError || error instanceof FoundryError) return String(error.status);
  if (error instanceof RestError) return String(error.statusCode ?? 'no answer');
  if ((error as Error).name === 'AbortError') return 'no answer';
  throw error;
}

let server: StartedServer;
beforeAll(async () => {
  server = await startServer();
  // What is loaded at its first use is not to count against an attempt's time.
  await using project = await server.project();
  await kitCalls(project).create?.();
});
afterAll(() => server.stop());

test('every kind is there', ({ expect }) => {
  const there = new Set((kinds as Kind[]).map(({ fault }) => (fault as Fault).fault));
  expect([...there].sort()).toEqual(faultKinds.toSorted());
});

describe.each(Object.entries(clients))('%s', (client, callsOf) => {
  const known = (kinds as Kind[]).filter((kind) => client in kind.expect || `${client}-js` in kind.expect);
  test.concurrent.for(known.map((kind) => [kind.call, kind.name, kind] as const))(
    '%s: %s',
    async ([call, _, kind], { expect }) => {
      await using project = await server.project();
      await project.faults([kind.fault as Fault]);
      const outcome = await callsOf(project, kind.timeoutMs)[call]?.().catch(outcomeOf);
      expect(outcome).toBe(kind.expect[`${client}-js`] ?? kind.expect[client]);
      expect(await project.struck()).not.toEqual([]);
    },
  );
});
