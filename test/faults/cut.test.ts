import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Client, createClient, type Json, type StreamEvent } from './client.ts';
import { isTerminal, replay, responsePath } from './known.ts';
import { type ServedProcess, startProcess } from './served-process.ts';
import { weigh } from './workloads.ts';

const body = { model: 'builtin', input: 'Show me everything.', tools: [weigh] };
const responses = '/openai/v1/responses';

let directory: string;
let server: ServedProcess;
let client: Client;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'bloomery-cut-'));
  server = await startProcess(directory);
  client = createClient(server);
});
afterAll(async () => {
  await server.stop();
  rmSync(directory, { recursive: true, force: true });
});

const post = (more: Json = {}) => client.stream('POST', responses, { ...body, ...more, stream: true });
const resume = (id: string, after: number) =>
  client.stream('GET', `${responsePath(id)}?stream=true${after < 0 ? '' : `&starting_after=${after}`}`);

/** Reads up to the event at `index`, then cuts the connection; all of it where the stream is shorter. */
async function readTo(index: number, stream: AsyncGenerator<StreamEvent>): Promise<StreamEvent[]> {
  const events: StreamEvent[] = [];
  if (index < 0) return events;
  for await (const event of stream) if (events.push(event) > index) break;
  return events;
}

const readAll = (stream: AsyncGenerator<StreamEvent>) => readTo(Number.POSITIVE_INFINITY, stream);
const idOf = (created: StreamEvent | undefined): string =>
  (JSON.parse(created?.data ?? '') as { response: { id: string } }).response.id;

/** Indices at which a stream of so many events can be cut: before its first, behind each, and behind its last. */
const cuts = (count: number): number[] => Array.from({ length: count + 1 }, (_, at) => at - 1);

const kinds = [
  'response.reasoning_summary_text.delta',
  'response.output_text.delta',
  'response.function_call_arguments.delta',
  'response.completed',
];

describe('a stream that is cut and resumed tells the same as one that is not', () => {
  test('after the response has ended, at every event', async () => {
    const whole = await readAll(post());
    expect(whole.map(({ type }) => type)).toEqual(expect.arrayContaining(kinds));
    const id = idOf(whole[0]);
    for (const cut of cuts(whole.length)) {
      const before = await readTo(cut, resume(id, -1));
      const after = await readAll(resume(id, cut));
      expect([...before, ...after], `cut behind event ${cut}`).toEqual(whole);
    }
  });

  test('while the response is under way, at every event, by as many readers at once', async () => {
    const { length } = await readAll(post());
    const whole: StreamEvent[] = [];
    const readers: Promise<StreamEvent[]>[] = [];
    let resumedLive = 0;
    for await (const event of post()) {
      whole.push(event);
      if (whole.length > 1) continue;
      const id = idOf(event);
      for (const cut of cuts(length)) {
        readers.push(
          (async () => {
            const before = await readTo(cut, resume(id, -1));
            if (!whole.some(isTerminal)) resumedLive++;
            return [...before, ...(await readAll(resume(id, cut)))];
          })(),
        );
      }
    }
    expect(whole).toHaveLength(length);
    for (const [at, joined] of (await Promise.all(readers)).entries()) {
      expect(joined, `cut behind event ${at - 1}`).toEqual(whole);
    }
    expect(resumedLive).toBeGreaterThan(0);
  });

  test('when the reader that leaves is the one who asked, at every event', async () => {
    const { length } = await readAll(post());
    // Without its first event nobody knows what to resume.
    await Promise.all(
      cuts(length)
        .filter((cut) => cut >= 0)
        .map(async (cut) => {
          const before = await readTo(cut, post());
          const id = idOf(before[0]);
          const joined = [...before, ...(await readAll(resume(id, cut)))];
          expect(joined.filter(isTerminal), `cut behind event ${cut}`).toEqual(joined.slice(-1));
          expect(joined, `cut behind event ${cut}`).toEqual(await replay(client, id));
        }),
    );
  });

  test('when the response goes on in the background, at every event', async () => {
    const { length } = await readAll(post({ background: true }));
    await Promise.all(
      cuts(length)
        .filter((cut) => cut >= 0)
        .map(async (cut) => {
          const before = await readTo(cut, post({ background: true }));
          const id = idOf(before[0]);
          const joined = [...before, ...(await readAll(resume(id, cut)))];
          expect(joined.at(-1)?.type, `cut behind event ${cut}`).toBe('response.completed');
          expect(joined).toHaveLength(length);
          expect(joined, `cut behind event ${cut}`).toEqual(await replay(client, id));
        }),
    );
  });
});
