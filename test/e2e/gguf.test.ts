import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const entry = join(import.meta.dirname, '../../bin/bloomery.js');
/** Path of a small chat model. */
const model = process.env.BLOOMERY_GGUF;
const packageRoot = rootOfPackage();

function rootOfPackage(): string | null {
  try {
    const main = createRequire(import.meta.filename).resolve('node-llama-cpp');
    return main.slice(0, main.lastIndexOf('node-llama-cpp') + 'node-llama-cpp'.length);
  } catch {
    return null;
  }
}

function serve(directory: string, file: string): ChildProcess {
  writeFileSync(
    join(directory, 'bloomery.yaml'),
    `discovery: false
limits: { drainSeconds: 1 }
deployments:
  - { name: small, provider: gguf, model: ${JSON.stringify(file)}, contextTokens: 2048, queue: 1, threads: 1 }
`,
  );
  const { NODE_PATH: _, ...environment } = process.env;
  return spawn(
    process.execPath,
    [entry, 'serve', '--json', '--port', '0', '--api-key', 'key', '--log-level', 'info'],
    { cwd: directory, stdio: ['ignore', 'pipe', 'pipe'], env: environment },
  );
}

function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'bloomery-gguf-'));
  writeFileSync(join(directory, 'empty.gguf'), '');
  return directory;
}

describe.runIf(model !== undefined && packageRoot !== null)(
  'a model file in a server',
  { timeout: 300_000 },
  () => {
    let directory: string;
    let server: ChildProcess;
    let client: OpenAI;
    let log: Promise<string>;

    beforeAll(async () => {
      directory = temporaryDirectory();
      mkdirSync(join(directory, 'node_modules'));
      symlinkSync(packageRoot ?? '', join(directory, 'node_modules', 'node-llama-cpp'));
      server = serve(directory, model ?? '');
      log = text(server.stderr as NonNullable<ChildProcess['stderr']>);
      const [line] = await once(server.stdout as NonNullable<ChildProcess['stdout']>, 'data');
      const base = JSON.parse(String(line)).endpoint.replace('https:', 'http:');
      client = new OpenAI({
        baseURL: `${base}/openai/v1`,
        apiKey: 'key',
        defaultHeaders: { authorization: null, 'api-key': 'key' },
        maxRetries: 0,
        timeout: 280_000,
      });
    });
    afterAll(() => {
      server.kill('SIGKILL');
      rmSync(directory, { recursive: true, force: true });
    });

    const question = { model: 'small', input: 'What is the capital of France?', temperature: 0 };
    const endless = { model: 'small', input: 'Write a very long story about a dragon.', temperature: 0 };

    test('chats, with its own count of tokens', async () => {
      const response = await client.responses.create({ ...question, max_output_tokens: 40 });
      expect(response.output_text).toMatch(/Paris/);
      const { input_tokens } = await client.responses.inputTokens.count({
        model: 'small',
        input: question.input,
      });
      expect(response.usage?.input_tokens).toBe(input_tokens);
      const completion = await client.chat.completions.create({
        model: 'small',
        messages: [{ role: 'user', content: question.input }],
        temperature: 0,
        max_completion_tokens: 3,
      });
      expect(completion.choices[0]?.finish_reason).toBe('length');
      expect(completion.usage).toMatchObject({ prompt_tokens: input_tokens, completion_tokens: 3 });
    });

    test('streams', async () => {
      const deltas: string[] = [];
      let whole = '';
      for await (const event of await client.responses.create({
        ...question,
        max_output_tokens: 40,
        stream: true,
      })) {
        if (event.type === 'response.output_text.delta') deltas.push(event.delta);
        if (event.type === 'response.completed') whole = event.response.output_text ?? deltas.join('');
      }
      expect(deltas.length).toBeGreaterThan(3);
      expect(deltas.join('')).toMatch(/Paris/);
      expect(whole).not.toBe('');
    });

    test('calls a function', async () => {
      const response = await client.responses.create({
        ...question,
        input: 'What is the weather in Oslo?',
        tools: [
          {
            type: 'function',
            name: 'get_weather',
            description: 'The weather of a city.',
            strict: true,
            parameters: {
              type: 'object',
              properties: { city: { type: 'string', maxLength: 20 } },
              required: ['city'],
              additionalProperties: false,
            },
          },
        ],
        tool_choice: 'required',
        parallel_tool_calls: false,
        max_output_tokens: 100,
      });
      const [call] = response.output;
      if (call?.type !== 'function_call') return expect.fail(JSON.stringify(response.output));
      expect(call.name).toBe('get_weather');
      expect(JSON.parse(call.arguments)).toEqual({ city: expect.any(String) });

      const after = await client.responses.create({
        ...question,
        previous_response_id: response.id,
        input: [{ type: 'function_call_output', call_id: call.call_id, output: '{"sky":"snow"}' }],
        max_output_tokens: 30,
      });
      expect(after.output_text).not.toBe('');
    });

    test('keeps to a JSON Schema', async () => {
      const response = await client.responses.create({
        ...question,
        input: 'Bob is 42 years old.',
        max_output_tokens: 200,
        text: {
          format: {
            type: 'json_schema',
            name: 'person',
            strict: true,
            schema: {
              type: 'object',
              properties: { name: { type: 'string', maxLength: 30 }, age: { type: 'integer' } },
              required: ['name', 'age'],
              additionalProperties: false,
            },
          },
        },
      });
      const person = JSON.parse(response.output_text);
      expect(Object.keys(person)).toEqual(['name', 'age']);
      expect(Number.isInteger(person.age)).toBe(true);
    });

    test('refuses by name what it cannot do, and inputs that are too long', async () => {
      await expect(
        client.responses.create({ ...question, reasoning: { effort: 'high' } }),
      ).rejects.toMatchObject({
        status: 400,
        code: 'unsupported_parameter',
        param: 'reasoning.effort',
      });
      await expect(
        client.responses.create({ ...question, input: 'word '.repeat(4000) }),
      ).rejects.toMatchObject({
        status: 400,
        code: 'context_length_exceeded',
        message: expect.stringMatching(/has 4\d\d\d tokens.* takes 2048/),
      });
    });

    test('frees its slot when a client goes away and when a response is cancelled', async () => {
      const leaving = new AbortController();
      const stream = await client.responses.create({ ...endless, stream: true }, { signal: leaving.signal });
      const calls: Promise<unknown>[] = [];
      const reading = (async () => {
        for await (const { type } of stream) {
          if (type !== 'response.output_text.delta' || calls.length > 0) continue;
          // One finds a place in the queue, the others do not.
          for (let count = 0; count < 3; count++) {
            calls.push(
              client.responses
                .create(endless, { signal: leaving.signal })
                .catch((error) => error.status ?? 'left'),
            );
          }
          Promise.race(calls).then(() => leaving.abort());
        }
      })();
      await reading.catch(() => {});
      expect((await Promise.all(calls)).filter((status) => status === 429).length).toBeGreaterThan(0);
      const background = await client.responses.create({ ...endless, background: true });
      expect((await client.responses.cancel(background.id)).status).toBe('cancelled');
      const next = await client.responses.create({ ...question, max_output_tokens: 40 });
      expect(next.output_text).toMatch(/Paris/);
    });

    test('lets the server stop in good order in the middle of an answer', async () => {
      const stream = await client.responses.create({ ...endless, stream: true });
      const types: string[] = [];
      const exit = once(server, 'exit');
      for await (const { type } of stream) {
        types.push(type);
        if (types.filter((each) => each === 'response.output_text.delta').length === 3)
          server.kill('SIGTERM');
      }
      expect(types.at(-1)).toMatch(/^response\.(failed|completed)$/);
      const [code] = await exit;
      expect(code).toBe(0);
      expect(await log).toMatch(/"deployment":"small".*model loaded/);
    });
  },
);

const isInstalledHere = packageRoot !== null && process.env.NODE_PATH === undefined;
test.skipIf(isInstalledHere)(
  'without the package the server does not start, and says what to install',
  async () => {
    const directory = temporaryDirectory();
    try {
      const server = serve(directory, 'empty.gguf');
      const errors = text(server.stderr as NonNullable<ChildProcess['stderr']>);
      const [code] = await once(server, 'exit');
      expect(code).not.toBe(0);
      expect(await errors).toContain(`Run \`npm install node-llama-cpp@3\` in ${directory}`);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  },
);
