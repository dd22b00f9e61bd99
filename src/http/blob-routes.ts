import type { RequestListener } from 'node:http';
import type { FastifyInstance } from 'fastify';

/**
 * Hands requests below `/ACCOUNT/` to the blob service as they come: neither their bodies nor the answers pass through
 * memory, no limit of ours holds, and the signature in their address is their credential.
 */
export function installBlobRoutes(
  app: FastifyInstance,
  { account, serve }: { account: string; serve: RequestListener },
): void {
  app.route({
    method: ['GET', 'HEAD', 'PUT', 'DELETE'],
    url: `/${account}/*`,
    config: { isPublic: true, isAudited: true },
    onRequest(request, reply) {
      reply.hijack();
      serve(request.raw, reply.raw);
    },
    handler() {},
  });
}
