import { apiError, notFound } from '../../errors.ts';
import type { Context } from '../../kit/context.ts';
import { arraySource, cursorPage, idPosition } from '../../kit/cursor-page.ts';
import { EventStream, type Handlers, JsonText } from '../../kit/operation.ts';
import { doneFrame, frame } from '../../kit/sse-frame.ts';
import type { operations } from './contract.ts';
import type { ResponseEngine } from './engine.ts';
import type { EventLog } from './events.ts';
import { type PlanSources, planPrompt, planResponse } from './plan.ts';

export interface ResponsesParts extends PlanSources {
  engine: ResponseEngine;
}

export function responsesService(parts: ResponsesParts): Handlers<typeof operations> {
  const { engine, responses } = parts;

  const stored = async (ctx: Context, id: string) => {
    const found = await responses.find(id, ctx);
    if (found === undefined) throw notFound('response', id, 'response_id');
    return found;
  };
  /** The log of a response under way, or of one that has ended. */
  const logOf = async (ctx: Context, id: string): Promise<EventLog> =>
    engine.find(id, ctx)?.log ?? (await stored(ctx, id)).log;

  return {
    async create(ctx, { body }) {
      const before = performance.now();
      const plan = await planResponse(parts, ctx, body);
      const planned = performance.now();
      ctx.timing('plan', planned - before);
      if (plan.stream) return eventStream((await engine.stream(plan, ctx, ctx.signal)).log);
      const log = await engine.answer(plan, ctx, ctx.signal);
      ctx.timing('run', performance.now() - planned);
      return new JsonText(JSON.stringify(log.response));
    },

    list(ctx, { query }) {
      const [idName, idVersion] = query.agent_id?.split(':') ?? [];
      const filter = {
        agentName: ctx.endpointAgent ?? query.agent_name ?? idName ?? null,
        agentVersion: idVersion ?? null,
        conversationId: query.conversation_id ?? null,
      };
      return cursorPage(
        query,
        { position: idPosition('resp'), rows: (window) => responses.list(ctx, filter, window) },
        (response) => response,
        (response) => response.id,
      );
    },

    async retrieve(ctx, { params, query }) {
      const log = await logOf(ctx, params.response_id);
      if (query.stream) return eventStream(log, query.starting_after);
      return new JsonText(JSON.stringify(log.response));
    },

    async delete(ctx, { params: { response_id: id } }) {
      const live = engine.find(id, ctx);
      if (live === undefined) await stored(ctx, id);
      else {
        live.abort(apiError('conflict', 'The response was deleted before it was finished.'));
        await live.concluded;
      }
      await responses.delete(ctx.project, id);
      return { id, object: 'response', deleted: true };
    },

    async cancel(ctx, { params: { response_id: id } }) {
      await logOf(ctx, id);
      throw apiError('not_cancellable', `The response '${id}' was not created with 'background': true.`, {
        target: 'response_id',
        retry: false,
      });
    },

    async inputItems(ctx, { params, query }) {
      const { input } = await stored(ctx, params.response_id);
      return cursorPage(
        query,
        arraySource(input, (item) => item.id),
        (item) => item,
        (item) => item.id,
      );
    },

    async inputTokens(ctx, { body }) {
      const { provider, request } = await planPrompt(parts, ctx, body);
      return { object: 'response.input_tokens', input_tokens: await provider.countTokens(request) };
    },
  };
}

function eventStream(log: EventLog, after?: number): EventStream {
  return new EventStream(framesAndDone(log, after), () =>
    frame(
      'error',
      JSON.stringify({
        type: 'error',
        code: 'server_error',
        message: 'The stream broke. Retrieve the response, or repeat the request.',
        param: null,
        sequence_number: log.lines.length,
      }),
    ),
  );
}

async function* framesAndDone(log: EventLog, after?: number): AsyncGenerator<string> {
  for await (const { type, data } of log.entries(after)) yield frame(type, data);
  yield doneFrame;
}
