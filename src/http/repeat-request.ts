import { createHash, type Hash } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { invalidParameter } from '../errors.ts';
import { boundaryOf, MultipartParts } from '../kit/multipart-parts.ts';
import { MultipartBody } from '../kit/operation.ts';

/** Who sent it, where, and by which id. */
export interface RepeatKey {
  project: string;
  caller: string;
  id: string;
}

/** A request that may be one that was sent before. */
export interface Repeat {
  key: RepeatKey;
  header: string;
  /** What it asks for, as far as it has been read. */
  fingerprint(): string;
  /** The same of all of it; reads what nobody has read. */
  wholeFingerprint(): Promise<string>;
}

const headers = ['operation-id', 'idempotency-key', 'repeatability-request-id'] as const;
const shape = /^[\x21-\x7e]{1,255}$/;
/** Headers that change what a request does. */
const telling = ['x-agent-version-override', 'x-ms-client-session-id', 'accept'] as const;

/** Null for a request that carries no such id. */
export function repeatOf(request: FastifyRequest, secret: Buffer): Repeat | null {
  const header = headers.find((name) => request.headers[name] !== undefined);
  if (header === undefined) return null;
  const id = request.headers[header];
  if (typeof id !== 'string' || !shape.test(id)) {
    throw invalidParameter(header, `${header} must be printable ASCII without spaces, at most 255.`);
  }
  const { project, principal, userIdentity } = request.exchange;
  const { body } = request;
  const key = { project, caller: JSON.stringify([principal.id, userIdentity]), id: `${header}:${id}` };
  const plain = createHash('sha256').update(secret).update(saidBy(request));
  if (!(body instanceof MultipartBody)) {
    const fingerprint = plain.digest('base64url');
    return { key, header, fingerprint: () => fingerprint, wholeFingerprint: async () => fingerprint };
  }
  body.digest = plain;
  return {
    key,
    header,
    fingerprint: () => plain.copy().digest('base64url'),
    wholeFingerprint: () => readThrough(body, plain),
  };
}

const saidBy = (request: FastifyRequest): string => {
  const { body } = request;
  const given = body instanceof MultipartBody ? null : (body ?? null);
  return JSON.stringify([request.method, request.url, telling.map((name) => request.headers[name]), given]);
};

async function readThrough(body: MultipartBody, digest: Hash): Promise<string> {
  const boundary = boundaryOf(body.contentType);
  if (boundary === null) return '';
  const parts = new MultipartParts(body.bytes, boundary, digest);
  try {
    while ((await parts.next()) !== null);
    await parts.skipRest();
  } finally {
    await parts.close();
  }
  return digest.digest('base64url');
}
