import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ApiError } from '../errors.ts';
import type { DiskSpace } from './disk-space.ts';

export interface BlobRoutes {
  account: string;
  serve: RequestListener;
  /** Answers in the form of the blob service. */
  refuse(request: IncomingMessage, response: ServerResponse, refusal: BlobRefusal): void;
  /** How many requests there may be at once. */
  most: number;
  /** Is told of one that was refused for that. */
  refused(): void;
  disk: DiskSpace;
}

export interface BlobRefusal {
  status: number;
  code: string;
  message: string;
  headers?: Record<string, string>;
}

/**
 * Hands requests below `/ACCOUNT/` to the blob service as they come: neither their bodies nor the answers pass through
 * memory, and the signature in their address is their credential. Nobody knows whose they are, so they have places of
 * their own: slow ones take none away from the API.
 */
export function installBlobRoutes(
  app: FastifyInstance,
  { account, serve, refuse, most, refused, disk }: BlobRoutes,
): void {
  let underWay = 0;
  const refusalOf = (request: FastifyRequest): BlobRefusal | null => {
    if (underWay < most) return noRoom(disk, request);
    refused();
    return tooMany(most);
  };
  app.route({
    method: ['GET', 'HEAD', 'PUT', 'DELETE'],
    url: `/${account}/*`,
    config: { isPublic: true, isAudited: true, hasOwnPlaces: true },
    onRequest(request, reply) {
      reply.hijack();
      const refusal = refusalOf(request);
      if (refusal !== null) return refuse(request.raw, reply.raw, refusal);
      underWay++;
      reply.raw.once('close', () => underWay--);
      serve(request.raw, reply.raw);
    },
    handler() {},
  });
}

function noRoom(disk: DiskSpace, request: FastifyRequest): BlobRefusal | null {
  try {
    disk.check(request);
    return null;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return { status: error.status, code: 'InsufficientStorage', message: error.message };
  }
}

const tooMany = (most: number): BlobRefusal => ({
  status: 503,
  code: 'ServerBusy',
  message: `The server takes ${most} requests for blobs at once, half of limits.concurrentRequests. Repeat the request.`,
  headers: { 'retry-after': '1' },
});
