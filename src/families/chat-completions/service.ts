import { notFound } from '../../errors.ts';
import type { Context } from '../../kit/context.ts';
import { arraySource, cursorPage } from '../../kit/cursor-page.ts';
import { EventStream, type Handlers } from '../../kit/operation.ts';
import { unixSeconds } from '../../kit/time.ts';
import { callerOf } from '../../providers/models/caller.ts';
import type { ModelGateway } from '../../providers/models/gateway.ts';
import type { Owner } from '../conversations/store.ts';
import type { ModelFiles } from '../files/model-files.ts';
import { chunkFrames } from './chunks.ts';
import { completion, type Envelope, keeping } from './completion.ts';
import type { ChatCompletion, operations } from './contract.ts';
import { deltas } from './deltas.ts';
import { errorFrame } from './frames.ts';
import { completionPosition, newCompletionId } from './ids.ts';
import { startModelCall } from './model-call.ts';
import { fieldNames, modelRequest } from './model-request.ts';
import { namedFiles } from './prompt.ts';
import { checkRequest } from './request-checks.ts';
import type { ChatCompletionStore } from './store.ts';
import { storedMessages } from './stored-messages.ts';

export function chatCompletionsService(
  models: ModelGateway,
  store: ChatCompletionStore,
  modelFiles: ModelFiles,
): Handlers<typeof operations> {
  return {
    async create(ctx, { body }) {
      checkRequest(body);
      const target = models.resolve(body.model, 'model');
      const taken = target.provider.documentTypes ?? [];
      const files = await modelFiles.read(ctx.project, namedFiles(body.messages), taken);
      const { request, customTools } = modelRequest(body, files);
      const envelope: Envelope = {
        id: newCompletionId(),
        created: unixSeconds(),
        model: target.deployment.name,
        ...(body.service_tier ? { service_tier: 'default' } : {}),
      };
      const withMetadata = (whole: ChatCompletion): ChatCompletion =>
        body.metadata ? { ...whole, metadata: body.metadata } : whole;
      const keep = (whole: ChatCompletion): Promise<void> =>
        store.insert(withMetadata(whole), body.messages, ownerOf(ctx));
      if (body.store) await store.requireRoom(ctx.project);
      const started = performance.now();
      const events = await startModelCall(target, request, fieldNames(body), ctx.signal, callerOf(ctx));
      const pieces = deltas(events, customTools);
      if (body.stream) {
        ctx.timing('model', performance.now() - started);
        const options = {
          includeUsage: body.stream_options?.include_usage ?? false,
          obfuscate: body.stream_options?.include_obfuscation ?? false,
        };
        const passing = body.store ? keeping(envelope, pieces, keep) : pieces;
        return new EventStream(chunkFrames(envelope, passing, options), (error) => errorFrame(ctx, error));
      }
      const whole = await completion(envelope, pieces);
      ctx.timing('model', performance.now() - started);
      if (body.store) await keep(whole);
      return withMetadata(whole);
    },

    list: (ctx, { query }) =>
      cursorPage(
        { ...query, order: query.order ?? 'asc' },
        {
          position: completionPosition,
          rows: (window) =>
            store.list(ownerOf(ctx), { model: query.model ?? null, metadata: query.metadata ?? {} }, window),
        },
        (found) => found,
        ({ id }) => id,
      ),

    async retrieve(ctx, { params: { completion_id: id } }) {
      return (await store.find(id, ownerOf(ctx))) ?? notStored(id);
    },

    async update(ctx, { params: { completion_id: id }, body }) {
      return (await store.setMetadata(id, ownerOf(ctx), body.metadata ?? {})) ?? notStored(id);
    },

    async delete(ctx, { params: { completion_id: id } }) {
      if (!(await store.delete(id, ownerOf(ctx)))) notStored(id);
      return { object: 'chat.completion.deleted', id, deleted: true };
    },

    async listMessages(ctx, { params: { completion_id: id }, query }) {
      const messages = storedMessages(id, (await store.messages(id, ownerOf(ctx))) ?? notStored(id));
      return cursorPage(
        { ...query, order: query.order ?? 'asc' },
        arraySource(messages, (message) => message.id),
        (message) => message,
        (message) => message.id,
      );
    },
  };
}

const ownerOf = (ctx: Context): Owner => ({ project: ctx.project, userIdentity: ctx.userIdentity });

function notStored(id: string): never {
  throw notFound('stored chat completion', id, 'completion_id');
}
