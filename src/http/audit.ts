import type { FastifyReply, FastifyRequest } from 'fastify';
import type { AuditEntry } from '../trust/audit-log.ts';
import type { Asked } from './authorization.ts';
import { clientGone, type Exchange } from './exchange.ts';

export interface AuditTrail {
  append(entry: AuditEntry): void;
  /** Whether all requests that change nothing are kept, too. */
  reads: boolean;
}

const longestPath = 512;

/** Keeps what a request did, once its answer is closed. Nothing that a caller wrote into query, headers or body. */
export function auditRequest(trail: AuditTrail, request: FastifyRequest, reply: FastifyReply): void {
  const { asked, isPublic, isAudited } = request.routeOptions.config;
  const { headersSent, statusCode } = reply.raw;
  // Whoever went away before the answer began was told nothing.
  const status = headersSent || statusCode === 101 ? statusCode : clientGone().status;
  const isRefusal = status === 401 || status === 403;
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  const isKept = isAudited === true || isAlwaysKept(asked);
  if (isRead && !trail.reads && !isRefusal && !isKept) return;
  const { exchange } = request;
  const clientRequestId = reply.getHeader('x-ms-client-request-id');
  const isRoute = asked !== undefined || isPublic === true;
  trail.append(
    entryOf(exchange, asked, {
      method: request.method,
      path: isRoute ? pathOf(request.url) : null,
      status,
      clientRequestId: typeof clientRequestId === 'string' ? clientRequestId : null,
    }),
  );
}

/** What administers the server, and what takes content away. */
const isAlwaysKept = (asked: Asked | undefined): boolean =>
  asked !== undefined && (asked.mount === 'admin' || asked.operation.answersBytes === true);

/** The same of a message on a WebSocket. */
export const auditMessage = (trail: AuditTrail, exchange: Exchange, asked: Asked, status: number): void =>
  trail.append(
    entryOf(exchange, asked, {
      method: asked.operation.method,
      path: pathOf(exchange.url),
      status,
      clientRequestId: null,
    }),
  );

function entryOf(
  exchange: Exchange,
  asked: Asked | undefined,
  rest: Pick<AuditEntry, 'method' | 'path' | 'status' | 'clientRequestId'>,
): AuditEntry {
  const { principal } = exchange;
  return {
    time: Date.now(),
    requestId: exchange.requestId,
    clientRequestId: rest.clientRequestId,
    principal: principal.id === '' ? null : { kind: principal.kind, id: principal.id, name: principal.name },
    project: exchange.project === '' ? null : exchange.project.slice(0, 64),
    operation: asked?.operation.summary ?? null,
    action: asked?.action.name ?? null,
    method: rest.method,
    path: rest.path,
    status: rest.status,
    address: exchange.address,
    ms: Math.round((performance.now() - exchange.startedAt) * 10) / 10,
  };
}

function pathOf(url: string): string {
  const end = url.indexOf('?');
  return (end < 0 ? url : url.slice(0, end)).slice(0, longestPath);
}
