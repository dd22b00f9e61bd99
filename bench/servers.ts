import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openConnection } from './connection.ts';
import { type Launched, launch } from './launch.ts';
import { succeeded } from './load.ts';

/** A server under measurement, and the bytes of the requests that every case sends it. */
export interface Target {
  name: string;
  port: number;
  pid: number;
  requests: {
    storedResponse: Buffer;
    agentGet: Buffer;
    stream: Buffer;
    /** A stream of `pacedEvents` deltas, one each `pacedMilliseconds`. */
    pacedStream: Buffer;
    /** A stream that says nothing more for a minute once it is open. */
    idleStream: Buffer;
    /** A stream of `longDeltas` deltas without a pause; null for the floor. */
    longStream: Buffer | null;
  };
  /** The request that reads a stored response back; null for the floor, which has none. */
  readBack: ((id: string) => Buffer) | null;
  /** The request that replays a stored response's log; for the floor, that reads a file of so many bytes. */
  replay(of: { id: string; bytes: number }): Buffer;
  stop(): Promise<void>;
}

const bench = import.meta.dirname;
/** What starts Bloomery unless something else is named: what `npm start` runs. */
export const defaultEntry = join(bench, '../bin/bloomery.js');
const project = 'bench';
const agent = { definition: { kind: 'prompt', model: 'builtin', instructions: 'Be brief.' } };
const stored = { model: 'builtin', input: 'Say hello in one short sentence.', store: true };
const streamed = { model: 'builtin', input: 'Count to 200.', stream: true };

export const pacedMilliseconds = 50;
/** More than the streams can have in the time that they are measured for. */
export const pacedEvents = 1500;
/** Events around the deltas of a text: three before, four behind, and the response's own created and end. */
export const longEvents = 5000;
const longDeltas = longEvents - 8;
const idleMilliseconds = 60_000;

const scenarios = {
  scenarios: [
    {
      when: { input: 'bench: paced' },
      reply: { chunks: Array(pacedEvents).fill(' tick'), chunk_delay_ms: pacedMilliseconds },
    },
    { when: { input: 'bench: idle' }, reply: { text: 'Awake.', delay_ms: idleMilliseconds } },
    { when: { input: 'bench: long' }, reply: { chunks: Array(longDeltas).fill(' tick') } },
  ],
};

const scripted = (what: string) => ({ model: 'builtin', input: `bench: ${what}`, stream: true });

/** Starts the server to compare with. */
export async function startFloor(directory: string, name: string): Promise<Target> {
  mkdirSync(directory);
  const server = await launch([join(bench, 'floor.ts'), directory]);
  return target(server, {
    name,
    port: Number(server.ready.port),
    headers: [],
    paths: {
      responses: '/responses',
      pacedStreams: '/paced-streams',
      idleStreams: '/idle-streams',
      agentVersions: '/agents/bench-agent',
      agent: '/agents/bench-agent',
    },
    isFloor: true,
  });
}

/** Starts Bloomery on a data directory of its own, its builtin model scripted where a case asks for it. */
export async function startBloomery(entry: string, directory: string): Promise<Target> {
  mkdirSync(directory, { recursive: true });
  // JSON is YAML.
  writeFileSync(join(directory, 'scenarios.yaml'), JSON.stringify(scenarios));
  const server = await launchBloomery(entry, directory, {
    scenarios: ['scenarios.yaml'],
    limits: { concurrentRequests: 4000, concurrentStreams: 4000 },
  });
  const base = `/api/projects/${project}`;
  return target(server, {
    name: 'bloomery',
    port: Number(new URL(String(server.ready.endpoint)).port),
    headers: [`api-key: ${server.ready.apiKey}`],
    paths: {
      responses: `${base}/openai/v1/responses`,
      pacedStreams: `${base}/openai/v1/responses`,
      idleStreams: `${base}/openai/v1/responses`,
      agentVersions: `${base}/agents/bench-agent/versions?api-version=v1`,
      agent: `${base}/agents/bench-agent?api-version=v1`,
    },
    isFloor: false,
  });
}

export interface ScriptedTarget {
  port: number;
  pid: number;
  /** The request that creates a response of the builtin model. */
  ask(body: object): Buffer;
  stop(): Promise<void>;
}

/** Starts Bloomery with a script for its builtin model. */
export async function startScripted(
  start: (directory: string, configuration: Record<string, unknown>) => Promise<Launched>,
  directory: string,
  script: object[],
  configuration: Record<string, unknown> = {},
): Promise<ScriptedTarget> {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'scenarios.yaml'), JSON.stringify({ scenarios: script }));
  const server = await start(directory, { scenarios: ['scenarios.yaml'], ...configuration });
  const { port, pathname } = new URL(String(server.ready.endpoint));
  return {
    port: Number(port),
    pid: server.pid,
    ask: (body) =>
      httpRequest({
        method: 'POST',
        path: `${pathname}/openai/v1/responses`,
        port: Number(port),
        headers: [`api-key: ${server.ready.apiKey}`],
        body: { model: 'builtin', ...body },
      }),
    stop: server.stop,
  };
}

/** Starts Bloomery with the tool `scripted`, whose function `step` answers at once and in its process. */
export function launchWithTool(directory: string, configuration: Record<string, unknown>): Promise<Launched> {
  const config = join(directory, 'bloomery.yaml');
  writeFileSync(config, JSON.stringify({ discovery: false, ...configuration }));
  return launch([join(bench, 'serve-with-tool.ts'), join(directory, 'data'), config]);
}

const call = (n: number) => [{ name: 'step', arguments: { n } }];

/** Has the model make so many calls of `step`, one in each turn. */
export function stepScript(input: string, turns: number): object[] {
  return [
    // The last step first, since the output of any call so far matches.
    { when: { tool_output: `step ${turns}.` }, reply: { text: 'Done.' } },
    ...Array.from({ length: turns - 1 }, (_, i) => ({
      when: { tool_output: `step ${i + 1}.` },
      reply: { tool_calls: call(i + 2) },
    })).toReversed(),
    { when: { input }, reply: { tool_calls: call(1) } },
  ];
}

/**
 * The same for several inputs, with a word before each call: then the model is told of the last output only, and the
 * steps may stand in any order. Theirs is mixed, so that late ones are found no later than early ones.
 */
export function wordyStepScript(wanted: { input: string; turns: number }[]): object[] {
  const most = Math.max(...wanted.map(({ turns }) => turns));
  const place = (step: number) => (step * 37) % 101;
  const steps = Array.from({ length: most - 1 }, (_, i) => i + 1);
  return [
    ...wanted.map(({ input, turns }) => ({
      when: { input, tool_output: `step ${turns}.` },
      reply: { text: 'Done.' },
    })),
    ...steps
      .toSorted((a, b) => place(a) - place(b))
      .map((step) => ({
        when: { tool_output: `step ${step}.` },
        reply: { text: 'Next.', tool_calls: call(step + 1) },
      })),
    ...wanted.map(({ input }) => ({ when: { input }, reply: { text: 'First.', tool_calls: call(1) } })),
  ];
}

/** What a response without a call says. */
export const plainScript = { reply: { text: 'Done.' } };

/** A response that does not have the calls it should have is no measurement. */
export function requireCalls(text: string, type: string, expected: number): void {
  const calls = text.split(`"type":"${type}"`).length - 1;
  if (calls !== expected)
    throw new Error(`The response has ${calls} calls, not ${expected}: ${text.slice(0, 2000)}`);
}

/** Starts `serve` with nothing but the builtin model, its data below `directory`. */
export function launchBloomery(
  entry: string,
  directory: string,
  configuration: Record<string, unknown> = {},
): Promise<Launched> {
  mkdirSync(directory, { recursive: true });
  const config = join(directory, 'bloomery.yaml');
  writeFileSync(config, JSON.stringify({ discovery: false, ...configuration }));
  const options = { '--port': '0', '--project': project, '--log-level': 'warn', '--config': config };
  return launch([
    entry,
    'serve',
    '--json',
    '--data',
    join(directory, 'data'),
    ...Object.entries(options).flat(),
  ]);
}

async function target(
  server: Launched,
  given: {
    name: string;
    port: number;
    headers: string[];
    paths: Record<'responses' | 'pacedStreams' | 'idleStreams' | 'agentVersions' | 'agent', string>;
    isFloor: boolean;
  },
): Promise<Target> {
  const { name, port, headers, paths, isFloor } = given;
  const request = (method: string, path: string, body?: object) =>
    httpRequest({ method, path, port, headers, body });
  const connection = await openConnection(port);
  succeeded(await connection.ask(request('POST', paths.agentVersions, agent)));
  connection.close();
  return {
    name,
    port,
    pid: server.pid,
    requests: {
      storedResponse: request('POST', paths.responses, stored),
      agentGet: request('GET', paths.agent),
      stream: request('POST', paths.responses, streamed),
      pacedStream: request('POST', paths.pacedStreams, { ...scripted('paced'), events: pacedEvents }),
      idleStream: request('POST', paths.idleStreams, scripted('idle')),
      longStream: isFloor ? null : request('POST', paths.responses, scripted('long')),
    },
    readBack: isFloor ? null : (id) => request('GET', `${paths.responses}/${id}`),
    replay: ({ id, bytes }) =>
      request('GET', isFloor ? `/files/${bytes}` : `${paths.responses}/${id}?stream=true`),
    stop: server.stop,
  };
}

export function httpRequest(given: {
  method: string;
  path: string;
  port: number;
  headers: string[];
  body: object | undefined;
}): Buffer {
  if (given.body === undefined) return requestBytes(given);
  return requestBytes({
    ...given,
    headers: [...given.headers, 'content-type: application/json'],
    content: Buffer.from(JSON.stringify(given.body)),
  });
}

export function requestBytes(given: {
  method: string;
  path: string;
  port: number;
  headers: string[];
  content?: Uint8Array;
}): Buffer {
  const { content } = given;
  const head = [
    `${given.method} ${given.path} HTTP/1.1`,
    `host: 127.0.0.1:${given.port}`,
    ...given.headers,
    ...(content === undefined ? [] : [`content-length: ${content.length}`]),
  ];
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), content ?? Buffer.alloc(0)]);
}
