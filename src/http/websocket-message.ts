import { type ApiError, apiError, invalidPayload, missingParameter } from '../errors.ts';
import { errorBody } from '../kit/error-body.ts';
import { isRecord } from '../kit/record.ts';

/** What a client asks for in one message: an operation by the message's `type`, with the body that POST would take. */
export interface Message {
  type: string;
  body: Record<string, unknown>;
}

const lanePattern = /^[A-Za-z0-9_.-]{1,256}$/;

/** The lane that a message names; null for the one without a name. */
export function streamIdOf(message: object): string | null {
  const { stream_id: streamId } = message as { stream_id?: unknown };
  if (streamId === undefined || streamId === null) return null;
  if (typeof streamId === 'string' && lanePattern.test(streamId)) return streamId;
  throw invalidPayload(
    'stream_id',
    "Invalid value for 'stream_id': must be 1 to 256 letters, digits, '_', '.' and '-'.",
  );
}

export function asObject(value: unknown): object {
  if (isRecord(value)) return value;
  throw apiError('invalid_payload', 'A message is a JSON object.', { target: 'body' });
}

export function readMessage(message: object, types: string[]): Message {
  const { type, stream_id: _lane, ...body } = message as Record<string, unknown>;
  if (type === undefined) throw missingParameter('type');
  if (typeof type !== 'string' || !types.includes(type)) {
    throw invalidPayload('type', `Invalid value for 'type': must be one of: ${types.join(', ')}.`);
  }
  return { type, body };
}

/** Refuses what a body may ask for over HTTP, or of other servers, but not here. Its types have been checked before. */
export function checkForSocket(body: Record<string, unknown>): void {
  if (body.background === true) {
    throw apiError('unsupported_parameter', "'background' is not served on WebSockets; use POST for it.", {
      target: 'background',
    });
  }
  if (body.stream === false) {
    throw invalidPayload('stream', 'Responses are always streamed on WebSockets; leave this out.');
  }
  if (body.generate !== undefined && body.generate !== true) {
    throw apiError('unsupported_parameter', "'generate': false is not served; leave it out.", {
      target: 'generate',
    });
  }
}

/** The event that tells of an error: what POST would have answered, with what its headers would have said. */
export function errorEvent(
  error: ApiError,
  requestId: string,
  streamId: string | null,
  sequenceNumber: number | null,
): string {
  return JSON.stringify({
    type: 'error',
    status: error.status,
    ...(sequenceNumber === null ? {} : { sequence_number: sequenceNumber }),
    error: {
      ...errorBody(error, 'openai', requestId).error,
      headers: { ...error.headers, 'x-request-id': requestId },
    },
    ...(streamId === null ? {} : { stream_id: streamId }),
  });
}

/** Spliced in, since parsing every event for one more member is felt on long streams. */
export const inLane = (event: string, streamId: string | null): string =>
  streamId === null ? event : `${event.slice(0, -1)},"stream_id":"${streamId}"}`;
