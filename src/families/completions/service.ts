import { newId } from '../../kit/ids.ts';
import { EventStream, type Handlers } from '../../kit/operation.ts';
import { unixSeconds } from '../../kit/time.ts';
import { callerOf } from '../../providers/models/caller.ts';
import type { ModelGateway } from '../../providers/models/gateway.ts';
import type { ModelEvent } from '../../providers/models/model.ts';
import type { ChatParts } from '../chat-completions/index.ts';
import { answer, chunkFrames, type Envelope, finishReason, usageOf } from './answers.ts';
import type { operations } from './contract.ts';
import { inParallel } from './in-parallel.ts';
import { fieldNames, modelRequest, promptTexts } from './prompts.ts';
import { checkRequest } from './request-checks.ts';

/** How many model calls one request may have under way. */
const callsAtOnce = 4;

export function completionsService(models: ModelGateway, chat: ChatParts): Handlers<typeof operations> {
  return {
    async create(ctx, { body }) {
      checkRequest(body);
      const prompts = promptTexts(body.prompt);
      const target = models.resolve(body.model, 'model');
      const envelope: Envelope = {
        id: newId('cmpl').replace('_', '-'),
        object: 'text_completion',
        created: unixSeconds(),
        model: target.deployment.name,
      };
      const caller = callerOf(ctx);
      const call = (prompt: string, signal: AbortSignal) =>
        chat.startModelCall(target, modelRequest(body, prompt), fieldNames, signal, caller);
      const started = performance.now();
      if (body.stream) {
        const [first = '', ...rest] = prompts;
        const calls = oneByOne(await call(first, ctx.signal), rest, (prompt) => call(prompt, ctx.signal));
        ctx.timing('model', performance.now() - started);
        const options = {
          echo: body.echo ? prompts : null,
          includeUsage: body.stream_options?.include_usage ?? false,
          obfuscate: body.stream_options?.include_obfuscation ?? false,
        };
        return new EventStream(chunkFrames(envelope, calls, options, chat), (error) =>
          chat.errorFrame(ctx, error),
        );
      }
      const answers = await inParallel(prompts, callsAtOnce, ctx.signal, async (prompt, signal) => {
        const whole = await answer(await call(prompt, signal));
        if (whole === null) throw chat.unfinished(envelope.model);
        return whole;
      });
      ctx.timing('model', performance.now() - started);
      return {
        ...envelope,
        choices: answers.map(({ text, finish }, index) => ({
          index,
          text: (body.echo ? (prompts[index] ?? '') : '') + text,
          logprobs: null,
          finish_reason: finishReason(finish.reason),
        })),
        usage: usageOf(answers.map(({ finish }) => finish)),
      };
    },
  };
}

/** The first call is under way already; each other starts when the one before has been read. */
async function* oneByOne(
  first: AsyncIterable<ModelEvent>,
  rest: string[],
  call: (prompt: string) => Promise<AsyncIterable<ModelEvent>>,
): AsyncGenerator<AsyncIterable<ModelEvent>> {
  yield first;
  for (const prompt of rest) yield await call(prompt);
}
