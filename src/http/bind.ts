import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from 'fastify';
import { missingParameter } from '../errors.ts';
import type { Context } from '../kit/context.ts';
import {
  Answer,
  ByteStream,
  EventStream,
  type Family,
  JsonText,
  multipart,
  type Operation,
} from '../kit/operation.ts';
import { validator } from '../kit/validation.ts';
import { askedOf } from './authorization.ts';
import { sendBytes } from './bytes.ts';
import { sendError } from './errors.ts';
import type { FaultStep } from './faults.ts';
import { mountsOf, routePath } from './mounts.ts';
import type { Repeats } from './repeats.ts';
import { constraintsOf } from './route-constraints.ts';
import { sendEvents } from './sse.ts';

export interface StreamBounds {
  /** Throws when there may be no more streams; answers what frees the place. */
  hold(project: string): () => void;
  /** How long a stream may last. */
  seconds: number;
}

export interface RouteParts {
  /** Null where ids that callers give their requests are ignored. */
  repeats: Repeats | null;
  streams: StreamBounds;
  /** Null where there are none. */
  faults: FaultStep | null;
}

/** Makes the routes of a family: validate, call the service, send its result. Nothing else stands between. */
export function bindFamily(
  app: FastifyInstance,
  { operations, handlers, messages = {} }: Family,
  { repeats, streams, faults }: RouteParts,
): void {
  const called = Object.values(messages).map((name) => operations[name]);
  for (const [name, operation] of Object.entries(operations)) {
    const handle = handlers[name] as (ctx: Context, input: unknown) => unknown;
    const read = inputReader(operation);
    const run = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
      try {
        const input = read(request);
        const isStream = operation.streams === true && asksForStream(input);
        const struck = faults?.of(operation, request, reply, isStream) ?? null;
        if (struck !== null) await struck.before();
        // Before anything is done for it: nobody undoes what a stream without a place has begun.
        if (isStream) holdStream(streams, request, reply);
        const call = () => handle(request.exchange, input);
        const isPlain = repeats === null || operation.method === 'GET';
        const result = await (isPlain ? call() : repeats.run(request, reply, call));
        const sent = struck === null ? result : await struck.after(result);
        await send(operation, sent, request, reply, streams.seconds);
      } catch (error) {
        // Nobody is left to hear of it, and what was thrown says no more than that.
        if (!reply.sent && !reply.raw.destroyed) sendError(error, request, reply);
      }
    };
    const handler = (request: FastifyRequest, reply: FastifyReply): void => {
      void run(request, reply);
    };
    const opened = called.find((one) => one?.path === operation.path);
    for (const { path, mount } of mountsOf(operation)) {
      const asked = askedOf(operation, mount);
      const opens = operation.method === 'GET' && opened ? { opens: askedOf(opened, mount) } : {};
      app.route({
        method: operation.method as HTTPMethods,
        url: routePath(path),
        config: { operation, mount, asked, ...opens },
        constraints: constraintsOf(operation),
        ...(operation.answersBeforeBody ? { onRequest: handler } : {}),
        handler,
      });
    }
  }
}

function inputReader({ params, query, body, bodyOptional, consumes }: Operation) {
  const checkParams = params === undefined ? null : validator(params, 'params');
  const checkQuery = query === undefined ? null : validator(query, 'query');
  const checkBody = body === undefined || consumes === multipart ? null : validator(body, 'body');
  return (request: FastifyRequest) => {
    checkParams?.(request.params);
    checkQuery?.(request.query);
    if (checkBody !== null && !(bodyOptional && request.body === undefined)) {
      if (request.body === undefined) throw missingParameter('body', 'The request needs a JSON body.');
      checkBody(request.body);
    }
    return { params: request.params, query: request.query, body: request.body };
  };
}

interface StreamInput {
  query?: { stream?: unknown };
  body?: { stream?: unknown };
}

const asksForStream = (input: unknown): boolean => {
  const { query, body } = input as StreamInput;
  return body?.stream === true || query?.stream === true;
};

function holdStream(streams: StreamBounds, request: FastifyRequest, reply: FastifyReply): void {
  const free = streams.hold(request.exchange.project);
  if (reply.raw.destroyed) free();
  else reply.raw.once('close', free);
}

async function send(
  operation: Operation,
  result: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  streamSeconds: number,
): Promise<void> {
  reply.header('server-timing', request.exchange.serverTiming);
  if (result instanceof EventStream) return sendEvents(result, reply, streamSeconds);
  if (result instanceof Answer) {
    reply.code(result.status).headers(result.headers);
    return sendJson(result.body, reply);
  }
  if (result instanceof ByteStream) {
    reply.code(result.status);
    return sendBytes(result, reply);
  }
  reply.code(operation.status ?? 200);
  sendJson(result, reply);
}

function sendJson(body: unknown, reply: FastifyReply): void {
  if (body === undefined) reply.send();
  else
    reply
      .type('application/json; charset=utf-8')
      .send(body instanceof JsonText ? body.text : JSON.stringify(body));
}
