import { createHash } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import type { Family } from '../kit/operation.ts';

export const openApiPath = '/openapi.json';

interface Rendered {
  text: string;
  etag: string;
}

/** Serves the contract, made when it is first asked for. It tells nothing of what is stored here, so it takes no credential. */
export function installOpenApi(app: FastifyInstance, families: Family[]): void {
  let rendered: Promise<Rendered> | undefined;
  app.get(openApiPath, { config: { isPublic: true } }, async (request, reply) => {
    rendered ??= render(families);
    const { text, etag } = await rendered;
    reply.header('etag', etag).header('cache-control', 'no-cache');
    if (request.headers['if-none-match'] === etag) return reply.code(304).send();
    return reply.type('application/json; charset=utf-8').send(text);
  });
}

async function render(families: Family[]): Promise<Rendered> {
  const { openApiDocument } = await import('./document.ts');
  const { default: manifest } = await import('../../package.json', { with: { type: 'json' } });
  const text = JSON.stringify(openApiDocument(families, manifest.version));
  return { text, etag: `"${createHash('sha256').update(text).digest('base64url').slice(0, 27)}"` };
}
