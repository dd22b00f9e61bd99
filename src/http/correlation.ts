import type { FastifyReply, FastifyRequest } from 'fastify';

const plain = /^[\x21-\x7e]{1,128}$/;

/** Every answer names the request: `x-request-id` is ours, `x-ms-client-request-id` the caller's, if it is plain. */
export function correlate(request: FastifyRequest, reply: FastifyReply): void {
  reply.header('x-request-id', request.id);
  reply.header('apim-request-id', request.id);
  const given = request.headers['x-ms-client-request-id'];
  if (typeof given === 'string' && plain.test(given)) reply.header('x-ms-client-request-id', given);
}
