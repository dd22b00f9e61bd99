/** `responses run`: asks an agent or a model and prints its text as it comes. */
import { text } from 'node:stream/consumers';
import type { Client, ResponseObject, ResponseStreamEvent } from '../client/index.ts';
import { UsageError } from './arguments.ts';
import { exitCodes } from './exit-codes.ts';
import { CommandError } from './failure.ts';
import { plainText } from './plain-text.ts';
import { onEndingSignal, signalExitCode } from './signals.ts';

export interface RunValues {
  agent: string | null;
  model: string | null;
  conversation: string | null;
  background: boolean;
  json: boolean;
}

export async function runResponse(client: Client, said: string, values: Partial<RunValues>): Promise<number> {
  const { agent = null, conversation = null, background = false, json = false } = values;
  const model = values.model ?? (agent === null ? process.env.FOUNDRY_MODEL_NAME?.trim() : null) ?? null;
  if (agent === null && !model) {
    throw new UsageError('Whom to ask? Give --agent NAME or --model NAME.', 'responses');
  }
  const input = said === '-' ? await text(process.stdin) : said;
  const stream = await client.responses.create.stream({
    body: {
      input,
      ...(model ? { model } : {}),
      ...(agent === null ? {} : { agent_reference: { type: 'agent_reference', name: agent } }),
      ...(conversation === null ? {} : { conversation }),
      ...(background ? { background } : {}),
    },
  });
  const release = onEndingSignal((signal) => {
    // What runs in the background would go on without us.
    const params = { response_id: stream.responseId ?? '' };
    const cancelled = background && params.response_id !== '' ? client.responses.cancel({ params }) : null;
    void Promise.resolve(cancelled)
      .catch(() => {})
      .finally(() => process.exit(signalExitCode(signal)));
  });
  const printer = json ? null : textPrinter();
  let response: ResponseObject | null = null;
  for await (const event of stream) {
    await printer?.(event);
    if (isEnd(event)) response = event.response;
  }
  release();
  return conclude(response, json);
}

/** Prints what is said, part by part. */
function textPrinter() {
  let part = '';
  return async (event: ResponseStreamEvent): Promise<void> => {
    if (event.type !== 'response.output_text.delta' && event.type !== 'response.refusal.delta') return;
    const at = `${event.output_index}.${event.content_index}`;
    const gap = part !== '' && part !== at ? '\n' : '';
    part = at;
    const { delta } = event;
    await written(gap + (process.stdout.isTTY ? plainText(delta) : delta));
  };
}

const written = (words: string): Promise<void> =>
  new Promise((resolve) => {
    if (process.stdout.write(words)) resolve();
    else process.stdout.once('drain', resolve);
  });

type EndEvent = Extract<ResponseStreamEvent, { response: ResponseObject }>;

const isEnd = (event: ResponseStreamEvent): event is EndEvent =>
  event.type === 'response.completed' ||
  event.type === 'response.incomplete' ||
  event.type === 'response.failed';

function conclude(response: ResponseObject | null, json: boolean): number {
  process.stdout.write(json ? `${JSON.stringify(response)}\n` : '\n');
  if (response === null) throw new CommandError(exitCodes.failure, 'The answer ended without its end.');
  if (response.status === 'completed') return exitCodes.ok;
  const why = response.error?.message ?? response.incomplete_details?.reason ?? 'no reason is given';
  throw new CommandError(exitCodes.failure, `The response ${response.id} is ${response.status}: ${why}`);
}
