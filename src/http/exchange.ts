import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { type ApiError, apiError } from '../errors.ts';
import type { CallFaults } from '../kit/call-faults.ts';
import type { Context } from '../kit/context.ts';
import type { OperationAction } from '../kit/data-action.ts';
import type { Operation } from '../kit/operation.ts';
import type { Principal } from '../trust/principal.ts';
import { impliesPreview } from './api-version.ts';
import type { Asked, Mount } from './authorization.ts';
import { parseFeatures, requireFeature } from './preview.ts';
import { isOnItsWay } from './stalled-bodies.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    operation?: Operation;
    /** Whether the route needs no credential, as the identity endpoint. */
    isPublic?: boolean;
    /** Whether it counts its requests under way itself, apart from all others. */
    hasOwnPlaces?: boolean;
    /** Where the operation is mounted: decides whether an `api-version` is needed. */
    mount?: Mount;
    /** What it asks of the caller's roles. */
    asked?: Asked;
    /** What the messages of a WebSocket ask that is opened here. */
    opens?: Asked;
    /** Whether it stands in the audit log although it changes nothing. */
    isAudited?: boolean;
  }
  interface FastifyRequest {
    exchange: Exchange;
  }
}

const nobody: Principal = { kind: 'key', id: '', name: '', grants: [] };
const hostPattern = /^[A-Za-z0-9.-]+(:\d{1,5})?$|^\[[0-9A-Fa-f:]+\](:\d{1,5})?$/;

/** One request on its way through the server; services see it as their `Context`. */
export class Exchange implements Context {
  readonly #request: FastifyRequest;
  readonly #reply: FastifyReply;
  readonly startedAt = performance.now();
  readonly requestId: string;
  /** Where the request came from. Asked for at once: a closed connection knows no more. */
  readonly address: string | null;
  #signal: AbortSignal | undefined;
  #abort: AbortController | undefined;
  #interruption: ApiError | null = null;
  #phases = '';
  project = '';
  principal: Principal = nobody;
  apiVersion = 'v1';
  faults: CallFaults | null = null;
  /** Whether it holds one of the places that its project has among all. */
  isAdmitted = false;
  /** Whether it counts as under way for its project and key. */
  isCounted = false;
  /** Whether its connection is gone or its answer sent; credentials may still have been looked at then. */
  isOver = false;
  /** Throws for what the caller may not do; nothing is allowed before its roles have been looked at. */
  mayAlso: (action: OperationAction) => void = () => {
    throw new Error('The roles of the caller have not been looked at.');
  };

  constructor(request: FastifyRequest, reply: FastifyReply, requestId: string = request.id) {
    this.#request = request;
    this.#reply = reply;
    this.requestId = requestId;
    this.address = request.raw.socket.remoteAddress ?? null;
  }

  /** Another exchange on the connection that this one has opened: what its caller said holds for all of them. */
  successor(requestId: string, signal: AbortSignal): Exchange {
    const next = new Exchange(this.#request, this.#reply, requestId);
    next.#signal = signal;
    next.project = this.project;
    next.principal = this.principal;
    next.apiVersion = this.apiVersion;
    return next;
  }

  get log(): Logger {
    const project = this.project === '' ? {} : { project: this.project };
    return (this.#request.log as Logger).child({ requestId: this.requestId, ...project });
  }

  get projectUrl(): string {
    const { headers, raw } = this.#request;
    const forwardedHost = first(headers['x-forwarded-host']);
    const host = forwardedHost ?? headers.host ?? '';
    if (!hostPattern.test(host))
      throw apiError('invalid_parameter', 'The Host header is not valid.', { target: 'Host' });
    const encrypted = 'encrypted' in raw.socket;
    const scheme = first(headers['x-forwarded-proto']) === 'https' || encrypted ? 'https' : 'http';
    return `${scheme}://${host}/api/projects/${encodeURIComponent(this.project)}`;
  }

  get url(): string {
    return this.#request.url;
  }

  get mount(): Mount {
    return this.#request.routeOptions.config.mount ?? 'native';
  }

  get endpointAgent(): string | null {
    if (this.mount !== 'agent-endpoint') return null;
    return (this.#request.params as { agent_name: string }).agent_name;
  }

  get userIdentity(): string | null {
    return this.header('x-ms-user-identity') || null;
  }

  requireAction(action: OperationAction): void {
    this.mayAlso(action);
  }

  requireFeature(key: string, what: string): void {
    if (impliesPreview(this.apiVersion)) return;
    requireFeature(key, parseFeatures(this.#request.headers['foundry-features']), what);
  }

  header(name: string): string | undefined {
    return first(this.#request.headers[name]);
  }

  answerHeaders(headers: Record<string, string>): void {
    if (!this.#reply.sent) this.#reply.headers(headers);
  }

  get signal(): AbortSignal {
    if (this.#signal === undefined) {
      const abort = new AbortController();
      const { raw } = this.#reply;
      raw.once('close', () => {
        if (!raw.writableFinished) abort.abort(clientGone());
      });
      if (raw.destroyed) abort.abort(clientGone());
      if (this.#interruption !== null) abort.abort(this.#interruption);
      this.#abort = abort;
      this.#signal = abort.signal;
    }
    return this.#signal;
  }

  /** Why its work is to end; null while it may go on. */
  get interruption(): ApiError | null {
    return this.#interruption;
  }

  /** Ends the work for this request, as when the server stops. */
  interrupt(reason: ApiError): void {
    this.#interruption = reason;
    this.#abort?.abort(reason);
    const { raw } = this.#request;
    if (!isOnItsWay(raw)) return;
    // Who sends slowly must not go on for as long as they like.
    if (!this.#reply.sent) this.#reply.header('connection', 'close');
    if (raw.listenerCount('error') > 0) raw.emit('error', reason);
  }

  timing(phase: string, milliseconds: number): void {
    this.#phases += `${phase};dur=${milliseconds.toFixed(2)}, `;
  }

  /** The `Server-Timing` header: the phases that took time, and the whole. */
  get serverTiming(): string {
    return `${this.#phases}total;dur=${(performance.now() - this.startedAt).toFixed(2)}`;
  }
}

export const clientGone = () =>
  apiError('client_disconnected', 'The client went away before the answer was finished.');

const first = (value: string | string[] | undefined): string | undefined =>
  Array.isArray(value) ? value[0] : value;
