import { APICallError } from '@ai-sdk/provider';
import { apiError } from '../../errors.ts';
import { complains, complaintIn, eventFrames } from './event-frames.ts';
import { encodedForm } from './form-encoding.ts';
import type { AnswerKind, ForwardRequest, ModelProvider } from './model.ts';
import {
  type Deadline,
  deadline,
  type ModelLog,
  readWithin,
  type Upstream,
  upstreamFetch,
} from './upstream.ts';
import { callFailure, type Terms } from './upstream-errors.ts';

export interface Address {
  url: string;
  headers: Record<string, string>;
}

export interface ForwardParts {
  upstream: Upstream;
  log: ModelLog;
  /** Where a path of OpenAI's API is at the upstream, and with which credential. */
  addressOf(path: string): Address;
}

const mostJsonBytes = 268_435_456;
const mostComplaintBytes = 65_536;

/** Passes requests on to a server of OpenAI's API. */
export function forwarder(parts: ForwardParts): NonNullable<ModelProvider['forward']> {
  const { upstream, log } = parts;
  return async (request, signal) => {
    const limit = deadline(signal, upstream.timeoutSeconds);
    const failure = (error: unknown) =>
      callFailure(error, { upstream, log, terms: termsOf(request) }, limit, signal);
    try {
      const response = await call(parts, request, limit);
      const contentType = response.headers.get('content-type') ?? 'application/octet-stream';
      const kind = request.answers.find((answer) => contentTypes[answer].test(contentType));
      if (kind === undefined) throw unusable(upstream, `it is ${contentType.slice(0, 100)}`);
      const bytes = chunks(response, limit);
      if (kind === 'events')
        return { kind, frames: watched(events(bytes, request.mostBytes), failure, limit) };
      if (kind !== 'json') return { kind, contentType, bytes: watched(bytes, failure, limit) };
      const text = await jsonText(bytes, upstream, request.mostBytes);
      limit.close();
      return { kind, text };
    } catch (error) {
      const failed = failure(error);
      limit.close();
      throw failed;
    }
  };
}

/** How OpenAI itself and most servers like it are addressed. */
export const bearerAddress =
  ({ baseUrl, apiKey }: Upstream) =>
  (path: string): Address => ({
    url: baseUrl.replace(/\/+$/, '') + path,
    headers: apiKey === null ? {} : { authorization: `Bearer ${apiKey}` },
  });

const contentTypes: Record<AnswerKind, RegExp> = {
  json: /^application\/([\w.-]+\+)?json\b/i,
  events: /^text\/event-stream\b/i,
  audio: /^(audio|video)\/|^(application|binary)\/octet-stream\b|^application\/ogg\b/i,
  text: /^text\/(plain|vtt|srt)\b|^application\/x-subrip\b/i,
};

/** The caller speaks the upstream's own language. */
const termsOf = ({ input }: ForwardRequest): Terms => ({
  input,
  parameterOf: (name) => (/^[\w.[\]-]{1,100}$/.test(name) ? name : input),
});

async function call({ upstream, addressOf }: ForwardParts, request: ForwardRequest, limit: Deadline) {
  const { url, headers } = addressOf(request.path);
  const fault = (rest: Partial<ConstructorParameters<typeof APICallError>[0]>) =>
    new APICallError({ message: 'the call failed', url, requestBodyValues: null, ...rest });
  const response = await limit
    .step(() => upstreamFetch(url, { ...content(request.body, upstream, headers), signal: limit.signal }))
    .catch((cause) => {
      throw fault({ cause });
    });
  if (response.ok) return response;
  throw fault({
    statusCode: response.status,
    responseHeaders: Object.fromEntries(response.headers),
    responseBody: await complaintText(response, limit),
  });
}

function content(body: ForwardRequest['body'], { model }: Upstream, headers: Record<string, string>) {
  if (body instanceof FormData) {
    body.set('model', model);
    return { method: 'POST', headers, body: encodedForm(body) };
  }
  return {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify({ ...body, model }),
  };
}

async function* chunks(response: Response, limit: Deadline): AsyncGenerator<Uint8Array> {
  if (response.body !== null) yield* readWithin(limit, response.body);
}

async function* events(bytes: AsyncIterable<Uint8Array>, most?: number): AsyncGenerator<string> {
  for await (const frame of eventFrames(bytes, most)) {
    const complaint = complaintIn(frame);
    if (complaint !== null) throw complaint;
    yield frame;
  }
}

/** The same elements; a failure among them is one of the catalogue, and the end closes the connection. */
async function* watched<T>(
  source: AsyncIterable<T>,
  failure: (error: unknown) => unknown,
  limit: Deadline,
): AsyncGenerator<T> {
  try {
    yield* source;
  } catch (error) {
    throw failure(error);
  } finally {
    limit.close();
  }
}

async function jsonText(
  bytes: AsyncIterable<Uint8Array>,
  upstream: Upstream,
  most = mostJsonBytes,
): Promise<string> {
  const whole = await collected(bytes, most);
  if (whole === null) throw unusable(upstream, `it has more than ${most} bytes`);
  const text = whole.toString();
  // Images are megabytes of JSON, which only these two make worth taking apart.
  if (!text.includes('"model"') && !text.includes('"error"')) return text;
  const value = parsed(text, upstream);
  if (complains(value)) throw value;
  if (typeof value !== 'object' || value === null || !('model' in value)) return text;
  return JSON.stringify({ ...value, model: upstream.name });
}

function parsed(text: string, upstream: Upstream): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw unusable(upstream, 'it is not well-formed JSON');
  }
}

/** What a failed call was answered with, as far as it may be trusted to be text. */
async function complaintText(response: Response, limit: Deadline): Promise<string> {
  try {
    return (await collected(chunks(response, limit), mostComplaintBytes))?.toString() ?? '';
  } catch {
    return '';
  }
}

async function collected(bytes: AsyncIterable<Uint8Array>, most: number): Promise<Buffer | null> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of bytes) {
    length += part.length;
    if (length > most) return null;
    parts.push(part);
  }
  return Buffer.concat(parts, length);
}

const unusable = ({ name }: Upstream, why: string) =>
  apiError(
    'model_error',
    `The answer of deployment '${name}' is unusable: ${why}. Check that \`baseUrl\` is right and that its server serves this API.`,
    { retry: false },
  );
