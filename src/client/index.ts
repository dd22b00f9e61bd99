/** A client of any Foundry project endpoint: this server's, or Microsoft's. It needs nothing but `fetch`. */
import type { Wire } from '../kit/operation.ts';
import { checkedEndpoint, honoursIds } from './addresses.ts';
import { createCalls, type Input, type LooseCall } from './calls.ts';
import type { Families } from './operations.ts';
import {
  type AttemptReport,
  type CallOptions,
  type Clock,
  type Credential,
  createSender,
  systemClock,
} from './request.ts';
import { type RetryPolicy, usualPolicy } from './retry.ts';
import type { Route } from './route.ts';
import { routes } from './routes.ts';

export type { ResponseObject } from '../families/responses/contract.ts';
export type { Input, LooseCall } from './calls.ts';
export { AnswerTooLargeError, BrokenStreamError, FoundryError, NoAnswerError } from './errors.ts';
export type { Call, Families, InputOf, ResponseStreamEvent, ResultOf } from './operations.ts';
export type { AttemptReport, CallOptions, Clock, Credential } from './request.ts';
export type { RetryPolicy } from './retry.ts';
export { type ServerEvent, SseParser } from './sse.ts';
export type { AnyEvent, EventStream } from './streams.ts';

export interface ClientOptions {
  /** `https://HOST/api/projects/NAME` */
  endpoint: string;
  credential: Credential;
  /** `v1` unless given. */
  apiVersion?: string;
  /** Preview features to opt in to everywhere. Operations that are a preview as a whole opt in by themselves. */
  features?: readonly string[];
  fetch?: typeof globalThis.fetch;
  retry?: Partial<RetryPolicy>;
  /** How long an attempt may take until its answer is there; 10 minutes unless given. */
  timeoutMs?: number;
  /** How long a stream may be silent; 5 minutes unless given. */
  idleMs?: number;
  /** The most bytes of JSON in one answer; 64 MiB unless given. */
  answerBytes?: number;
  /** Whether the service knows a repeated write by its `Idempotency-Key`. Taken for granted but of Microsoft's. */
  honoursIds?: boolean;
  /** Told of every attempt, to log it. */
  onAttempt?: (report: AttemptReport) => void;
  clock?: Clock;
  random?: () => number;
}

/** A request to a place that the contracts do not name. */
export interface FreeRequest extends Input {
  method: Route['method'];
  /** Below the project, `/openai/v1` or `/admin`, as `wire` says: `/agents/{agent_name}`; or a whole address of the endpoint. */
  path: string;
  wire?: Wire;
  consumes?: string;
}

export type Client = Families & {
  endpoint: string;
  /** Any other request, with all that calls have of attempts, ids and errors. */
  request(request: FreeRequest, options?: CallOptions): Promise<{ status: number; body: unknown }>;
};

const usual = { timeoutMs: 600_000, idleMs: 300_000, answerBytes: 64 * 1024 * 1024 };

export function createClient(options: ClientOptions): Client {
  const endpoint = checkedEndpoint(options.endpoint);
  const { apiVersion = 'v1', answerBytes = usual.answerBytes, idleMs = usual.idleMs } = options;
  const { clock = systemClock, random = Math.random } = options;
  const policy = { ...usualPolicy, ...options.retry };
  const send = createSender({
    credential: options.credential,
    features: options.features ?? [],
    fetch: options.fetch ?? ((url, init) => globalThis.fetch(url, init)),
    policy,
    timeoutMs: options.timeoutMs ?? usual.timeoutMs,
    honoursIds: options.honoursIds ?? honoursIds(endpoint),
    onAttempt: options.onAttempt ?? null,
    clock,
    random,
  });
  const { call, json } = createCalls({
    send,
    endpoint,
    apiVersion,
    answerBytes,
    idleMs,
    policy,
    clock,
    random,
  });
  const families = Object.fromEntries(
    Object.entries(routes).map(([name, rows]) => [
      name,
      Object.fromEntries(Object.entries(rows).map(([operation, route]) => [operation, call(route)])),
    ]),
  );
  return {
    ...(families as unknown as Families),
    endpoint,
    request: async ({ method, path, wire = 'foundry', consumes, ...input }, callOptions = {}) =>
      json({ method, path, wire, ...(consumes === undefined ? {} : { consumes }) }, input, callOptions),
  };
}

/** Of a client, the call that has these names; undefined where there is none. */
export const callNamed = (client: Client, family: string, operation: string): LooseCall | undefined =>
  (client as unknown as Record<string, Record<string, LooseCall> | undefined>)[family]?.[operation];
