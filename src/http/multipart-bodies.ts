import type { FastifyInstance } from 'fastify';
import type { Limits } from '../config.ts';
import { type ApiError, apiError } from '../errors.ts';
import { MultipartBody, multipart, type Operation } from '../kit/operation.ts';
import { BodyChunks } from './body-chunks.ts';

type FormLimits = Pick<Limits, 'bodyBytes' | NonNullable<Operation['fileLimit']>>;

interface FormLimit {
  name: keyof FormLimits;
  bytes: number;
}

/** What a form may have besides its file, where the limit is on that. */
const aroundFileBytes = 1_048_576;

/**
 * Hands forms over unread to the operations that take them, within the limit that holds there. Anywhere else they are
 * refused with `refusal`.
 */
export function takeMultipart(app: FastifyInstance, limits: FormLimits, refusal: () => ApiError): void {
  app.addContentTypeParser(multipart, (request, payload, done) => {
    const { operation } = request.routeOptions.config;
    if (operation?.consumes !== multipart) return done(refusal());
    const limit = limitOf(operation, limits);
    if (Number(request.headers['content-length']) > limit.bytes) return done(tooLarge(limit));
    const contentType = request.headers['content-type'] ?? '';
    const interruption = () => request.exchange.interruption;
    const chunks = new BodyChunks(payload, limit.bytes, () => tooLarge(limit), interruption);
    done(null, new MultipartBody(contentType, chunks));
  });
}

const limitOf = ({ fileLimit }: Operation, limits: FormLimits): FormLimit =>
  fileLimit === undefined
    ? { name: 'bodyBytes', bytes: limits.bodyBytes }
    : { name: fileLimit, bytes: limits[fileLimit] + aroundFileBytes };

const tooLarge = ({ name }: FormLimit) =>
  apiError(
    'payload_too_large',
    `The body is larger than this server takes (limits.${name} in its configuration).`,
    { headers: { connection: 'close' } },
  );
