import { apiError, conflict, invalidParameter, notFound } from '../../errors.ts';
import type { Context } from '../../kit/context.ts';
import { arraySource, cursorPage, idPosition } from '../../kit/cursor-page.ts';
import { EventStream, type Handlers, JsonText } from '../../kit/operation.ts';
import { frame } from '../../kit/sse-frame.ts';
import type { Owner } from '../conversations/store.ts';
import { compactItems } from './compaction.ts';
import type { operations } from './contract.ts';
import type { ResponseEngine } from './engine.ts';
import type { EventLog } from './event-log.ts';
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

  return {
    async create(ctx, { body }) {
      const before = performance.now();
      const plan = await planResponse(parts, ctx, body);
      const planned = performance.now();
      ctx.timing('plan', planned - before);
      if (plan.store) {
        await responses.requireRoom(ctx.project).catch(async (full) => {
          await plan.hold?.release();
          throw full;
        });
      }
      const { stream } = plan.run.fields;
      if (body.background) {
        const { log } = await engine.background(plan, ownerOf(ctx));
        return stream ? eventStream(log) : new JsonText(JSON.stringify(plan.initial));
      }
      if (stream) return eventStream((await engine.stream(plan, ownerOf(ctx), ctx.signal)).log);
      const log = await engine.answer(plan, ownerOf(ctx), ctx.signal);
      ctx.timing('run', performance.now() - planned);
      return new JsonText(JSON.stringify(log.response));
    },

    list(ctx, { query }) {
      const [idName, idVersion] = query.agent_id?.split(':') ?? [];
      const filter = {
        agentName: query.agent_name ?? idName ?? null,
        agentVersion: idVersion ?? null,
        conversationId: query.conversation_id ?? null,
      };
      return cursorPage(
        query,
        { position: idPosition('resp'), rows: (window) => responses.list(ctx, filter, window) },
        // One under way is further than what is on record of it.
        (response) => engine.find(response.id, ctx)?.log.response ?? response,
        (response) => response.id,
      );
    },

    async retrieve(ctx, { params: { response_id: id }, query }) {
      const live = engine.find(id, ctx);
      const { log, logKept } = live === undefined ? await stored(ctx, id) : { log: live.log, logKept: true };
      if (!query.stream) return new JsonText(JSON.stringify(log.response));
      if (!logKept) {
        throw invalidParameter(
          'stream',
          `The events of response '${id}' are no longer kept; retrieve it without 'stream'.`,
        );
      }
      const after = query.starting_after ?? -1;
      if (after >= 0 && after >= log.lines.length) {
        const last = log.lines.length - 1;
        throw invalidParameter(
          'starting_after',
          `The last event of response '${id}' so far has number ${last}.`,
        );
      }
      return eventStream(log, after);
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
      const live = engine.find(id, ctx);
      const { log } = live ?? (await stored(ctx, id));
      if (!log.response.background) {
        throw apiError('not_cancellable', `The response '${id}' was not created with 'background': true.`, {
          target: 'response_id',
          retry: false,
        });
      }
      if (live !== undefined) await engine.cancel(live);
      const { status } = log.response;
      if (status !== 'cancelled') {
        throw conflict(`The response '${id}' is ${status} already and cannot be cancelled.`, 'response_id');
      }
      return new JsonText(JSON.stringify(log.response));
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

    compact: (ctx, { body }) => compactItems(parts, ctx, body),

    async trace(ctx, { params: { response_id: id } }) {
      const { status } = await stored(ctx, id);
      const trace = await responses.trace(id, ctx);
      if (trace !== null) return trace;
      throw status === 'queued' || status === 'in_progress'
        ? conflict(
            `The response '${id}' is still ${status}; its trace is there when it has ended.`,
            'response_id',
          )
        : notFound('trace of response', id, 'response_id');
    },

    async inputTokens(ctx, { body }) {
      const { provider, request } = await planPrompt(parts, ctx, body);
      return { object: 'response.input_tokens', input_tokens: await provider.countTokens(request) };
    },
  };
}

/** The context of a request goes with it; what outlives the request keeps only whose it is. */
const ownerOf = ({ project, userIdentity }: Context): Owner => ({ project, userIdentity });

function eventStream(log: EventLog, after?: number): EventStream {
  const onError = () =>
    frame(
      'error',
      JSON.stringify({
        type: 'error',
        code: 'server_error',
        message: 'The stream broke. Retrieve the response, or repeat the request.',
        param: null,
        sequence_number: log.lines.length,
      }),
    );
  return new EventStream(log.frames(after), onError, log.entries(after));
}
