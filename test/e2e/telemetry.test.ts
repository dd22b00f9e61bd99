import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { Agent, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const main = new URL('../../src/main.ts', import.meta.url).pathname;
const scenarios = `scenarios:
  - when: { input: greet }
    reply: { text: The secret answer., usage: { input_tokens: 12, output_tokens: 4 } }
  - when: { input: call }
    reply: { tool_calls: [{ name: look, arguments: { what: the secret argument } }] }
  - when: { input: break }
    reply: { text: The secret half., fail: { code: model_error, message: the secret failure }, fail_after_chunks: 1 }
  - when: { input: refuse }
    reply: { fail: { status: 429, message: the secret failure, retry_after: 1 } }
  - when: { input: linger }
    reply: { text: Too late., delay_ms: 60000 }
`;

interface Received {
  url: string;
  headers: IncomingHttpHeaders;
  body: string;
}

let directory: string;
let receiver: Server;
let received: Received[];
let agent: Agent;
let started: ChildProcess | null;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'bloomery-telemetry-'));
  writeFileSync(join(directory, 'scenarios.yaml'), scenarios);
  received = [];
  started = null;
  receiver = createServer(async (incoming, outgoing) => {
    const { url = '', headers } = incoming.setEncoding('latin1');
    received.push({ url, headers, body: await text(incoming) });
    outgoing.setHeader('content-type', String(headers['content-type'])).end();
  });
  await once(receiver.listen(0, '127.0.0.1'), 'listening');
});
afterEach(async () => {
  agent?.destroy();
  if (started !== null && started.exitCode === null && started.signalCode === null) {
    started.kill('SIGKILL');
    await once(started, 'exit');
  }
  receiver.closeAllConnections();
  receiver.close();
  rmSync(directory, { recursive: true, force: true });
});

const receiverUrl = () => `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;

interface Ready {
  endpoint: string;
  apiKey: string;
  caFile: string;
}

async function serve(configuration: string, environment: Record<string, string> = {}) {
  writeFileSync(
    join(directory, 'bloomery.yaml'),
    `scenarios: [scenarios.yaml]\ndiscovery: false\n${configuration}`,
  );
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('OTEL_'));
  const child = spawn(process.execPath, [main, 'serve', '--json', '--port', '0'], {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...Object.fromEntries(own), ...environment },
  });
  started = child;
  const errors = text(child.stderr);
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const ready = JSON.parse(line.toString()) as Ready;
  agent = new Agent({ ca: readFileSync(ready.caFile), keepAlive: false });
  return {
    child,
    call: (method: string, path: string, body?: object, headers: Record<string, string> = {}) =>
      ask(ready, method, path, body, headers),
    async stop() {
      child.kill('SIGTERM');
      await once(child, 'exit');
      return { code: child.exitCode, errors: await errors };
    },
  };
}

function ask(
  ready: Ready,
  method: string,
  path: string,
  body?: object,
  headers: Record<string, string> = {},
) {
  return new Promise<{ status: number; text: string; json(): Record<string, unknown> }>((resolve, reject) => {
    const outgoing = request(
      `${ready.endpoint}${path}`,
      {
        method,
        agent,
        headers: { 'api-key': ready.apiKey, 'content-type': 'application/json', ...headers },
      },
      async (response) => {
        const answer = await text(response);
        resolve({ status: response.statusCode ?? 0, text: answer, json: () => JSON.parse(answer) });
      },
    );
    outgoing.on('error', reject).end(body === undefined ? undefined : JSON.stringify(body));
  });
}

interface Span {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  status: { code: number };
  attributes: { key: string; value: Record<string, unknown> }[];
}

const requestsOf = () =>
  received.map(({ body }) => JSON.parse(Buffer.from(body, 'latin1').toString()).resourceSpans[0]);
const spansOf = (): Span[] => requestsOf().flatMap(({ scopeSpans }) => scopeSpans[0].spans);
const attributesOf = (span: Span | undefined) =>
  Object.fromEntries((span?.attributes ?? []).map(({ key, value }) => [key, Object.values(value)[0]]));
const attributeOf = (span: Span, name: string) => attributesOf(span)[name];

const create = { model: 'builtin', input: 'greet: the secret question', instructions: 'The secret rule.' };
const traceId = '0af7651916cd43dd8448eb211c80319c';
const traceparent = `00-${traceId}-b7ad6b7169203331-01`;

describe('traces over OTLP', () => {
  test('tell of every response once, in the trace of its caller, and of nothing that was said', async () => {
    writeFileSync(join(directory, 'headers'), 'authorization=Bearer%20abc,x-tenant=lab\n');
    const { call, stop } = await serve(
      `telemetry: { endpoint: '${receiverUrl()}/otlp', headers: { file: headers }, protocol: http/json }\n`,
      { OTEL_SERVICE_NAME: 'my-bloomery', OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=ci' },
    );
    const responses = '/openai/v1/responses';
    await call('POST', '/agents/clerk/versions?api-version=v1', {
      definition: { kind: 'prompt', model: 'builtin', instructions: 'The secret rule.' },
    });
    const conversation = (await call('POST', '/openai/v1/conversations', {})).json();
    const ofAgent = (
      await call(
        'POST',
        responses,
        {
          input: create.input,
          agent_reference: { type: 'agent_reference', name: 'clerk' },
          conversation: conversation.id,
        },
        { traceparent },
      )
    ).json();
    const unstored = (await call('POST', responses, { ...create, store: false, temperature: 0.5 })).json();
    const look = { type: 'function', name: 'look', description: 'the secret tool', parameters: null };
    await call('POST', responses, { ...create, input: 'call the secret', tools: [look] });
    const broken = await call('POST', responses, { ...create, input: 'break the secret', stream: true });
    expect(broken.text).toContain('response.failed');
    for (const stream of [false, true]) {
      const refused = await call('POST', responses, { ...create, input: 'refuse the secret', stream });
      expect(refused.status).toBe(429);
    }
    const lingering = (
      await call('POST', responses, { ...create, input: 'linger, secret', background: true })
    ).json();
    const cancelled = await call('POST', `${responses}/${lingering.id}/cancel`);
    expect(cancelled.json().status).toBe('cancelled');
    const { code } = await stop();
    expect(code).toBe(0);

    for (const { url, headers } of received) {
      expect(url).toBe('/otlp/v1/traces');
      expect(headers).toMatchObject({
        'content-type': 'application/json',
        authorization: 'Bearer abc',
        'x-tenant': 'lab',
      });
    }
    for (const { resource } of requestsOf()) {
      expect(attributesOf(resource)).toEqual({
        'service.name': 'my-bloomery',
        'deployment.environment.name': 'ci',
      });
    }
    expect(received.map(({ body }) => body).join()).not.toMatch(/secret/i);

    const spans = spansOf();
    const wholes = spans.filter((span) => attributeOf(span, 'bloomery.response.status') !== undefined);
    expect(
      wholes.map((span) => [
        span.name,
        attributeOf(span, 'bloomery.response.status'),
        attributeOf(span, 'error.type') ?? null,
      ]),
    ).toEqual([
      ['invoke_agent clerk', 'completed', null],
      ['chat builtin', 'completed', null],
      ['chat builtin', 'completed', null],
      ['chat builtin', 'failed', 'server_error'],
      ['chat builtin', 'failed', 'rate_limit_exceeded'],
      ['chat builtin', 'failed', 'rate_limit_exceeded'],
      ['chat builtin', 'cancelled', null],
    ]);
    expect(attributesOf(wholes[0])).toMatchObject({
      'gen_ai.agent.id': 'clerk:1',
      'gen_ai.conversation.id': conversation.id,
      'gen_ai.response.id': ofAgent.id,
    });
    expect(attributesOf(wholes[1])).toMatchObject({
      'gen_ai.response.id': unstored.id,
      'gen_ai.request.temperature': 0.5,
    });

    const inTrace = spans.filter((span) => span.traceId === traceId);
    expect(inTrace.map(({ name }) => name)).toEqual(['invoke_agent clerk', 'plan', 'chat builtin']);
    const [whole, , model] = inTrace;
    expect(whole?.parentSpanId).toBe('b7ad6b7169203331');
    expect(model?.parentSpanId).toBe(whole?.spanId);
    expect(attributesOf(model)).toMatchObject({
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'builtin',
      'gen_ai.usage.input_tokens': 12,
      'gen_ai.usage.output_tokens': 4,
    });
    expect(BigInt(model?.endTimeUnixNano ?? 0)).toBeGreaterThan(BigInt(model?.startTimeUnixNano ?? 0));
  });

  test('hold what was said where the configuration wants it', async () => {
    const { call, stop } = await serve('telemetry: { content: true }\n', {
      OTEL_EXPORTER_OTLP_ENDPOINT: receiverUrl(),
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_EXPORTER_OTLP_HEADERS: 'x-tenant=lab',
    });
    expect((await call('POST', '/openai/v1/responses', create)).status).toBe(200);
    await stop();
    expect(received.map(({ url, headers }) => [url, headers['x-tenant']])).toEqual([['/v1/traces', 'lab']]);
    const told = attributesOf(spansOf()[0]);
    expect(JSON.parse(String(told['gen_ai.system_instructions']))).toEqual([
      { type: 'text', content: 'The secret rule.' },
    ]);
    expect(JSON.parse(String(told['gen_ai.input.messages']))).toEqual([
      { role: 'user', parts: [{ type: 'text', content: create.input }] },
    ]);
    expect(JSON.parse(String(told['gen_ai.output.messages']))).toEqual([
      { role: 'assistant', parts: [{ type: 'text', content: 'The secret answer.' }], finish_reason: 'stop' },
    ]);
  });

  test('are protobuf unless told otherwise', async () => {
    const { call, stop } = await serve('', {
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${receiverUrl()}/whole/path`,
    });
    expect((await call('POST', '/openai/v1/responses', create, { traceparent })).status).toBe(200);
    await stop();
    expect(received).toHaveLength(1);
    const [{ url, headers, body } = { url: '', headers: {}, body: '' }] = received;
    expect([url, headers['content-type']]).toEqual(['/whole/path', 'application/x-protobuf']);
    expect(body).toContain(Buffer.from(traceId, 'hex').toString('latin1'));
    expect(body).toContain('gen_ai.usage.input_tokens');
    expect(body).not.toMatch(/secret/i);
    // ExportTraceServiceRequest.resource_spans is field 1, of a length that spans the rest of the message.
    const [resourceSpans, ...rest] = fields(Buffer.from(body, 'latin1'));
    expect([resourceSpans?.number, rest]).toEqual([1, []]);
  });

  test('hold neither responses nor the end up when nobody takes them, and the log says so', async () => {
    const { call, stop } = await serve(`telemetry: { endpoint: '${receiverUrl()}', flushSeconds: 1 }\n`);
    receiver.close();
    expect((await call('POST', '/openai/v1/responses', create)).status).toBe(200);
    const { code, errors } = await stop();
    expect(code).toBe(0);
    expect(errors).toMatch(
      /"traces":1,"total":1,"reason":"connect ECONNREFUSED.*traces could not be exported/,
    );
  });

  test.each([
    ['nothing is configured', {}],
    ['it is switched off', { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://x', OTEL_SDK_DISABLED: 'true' }],
    ['gRPC is asked for', { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://x', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }],
  ])('OpenTelemetry is not even loaded when %s', async (_when, environment) => {
    const { call, stop } = await serve('', {
      ...environment,
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(tellLoadedModules)}`,
    });
    expect((await call('POST', '/openai/v1/responses', create)).status).toBe(200);
    const { code, errors } = await stop();
    expect(code).toBe(0);
    expect(errors).toContain('loaded: providers/telemetry/open-sink.ts');
    expect(errors).not.toMatch(/loaded: @opentelemetry|loaded: providers\/telemetry\/otlp/);
    expect(errors.includes('gRPC is not spoken')).toBe('OTEL_EXPORTER_OTLP_PROTOCOL' in environment);
    expect(received).toEqual([]);
  });
});

/** Prints every module of OpenTelemetry, or of ours for it, that the process loads. */
const tellLoadedModules = `
  import { registerHooks } from 'node:module';
  registerHooks({
    load(url, context, next) {
      const name = /(@opentelemetry|providers.telemetry).*/.exec(url)?.[0];
      if (name !== undefined) process.stderr.write('loaded: ' + name + '\\n');
      return next(url, context);
    },
  });`;

/** The fields of a protobuf message, if all are of the kind that has a length. */
function fields(message: Buffer): { number: number; value: Buffer }[] {
  const found: { number: number; value: Buffer }[] = [];
  let at = 0;
  const varint = (): number => {
    for (let value = 0, shift = 0; ; shift += 7) {
      const byte = message.readUInt8(at++);
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < message.length) {
    const tag = varint();
    if (tag % 8 !== 2) throw new Error(`Field ${tag >> 3} has wire type ${tag % 8}.`);
    const length = varint();
    found.push({ number: tag >> 3, value: message.subarray(at, at + length) });
    at += length;
  }
  return found;
}
