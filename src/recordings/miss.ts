import { type ApiError, apiError, type ErrorDetail } from '../errors.ts';
import type { Held, Miss } from './library.ts';
import type { RequestDifference } from './request-difference.ts';

const told = 5;

/** What a client is told whose request is not in the recording: the nearest one, and how that differs. */
export function missed({ reason, nearest, differences, first }: Miss): ApiError {
  const details = differences.map(
    (one): ErrorDetail => ({ code: 'different', message: inWords(one), target: one.at }),
  );
  return apiError('RecordingNotFound', messageOf({ reason, nearest, differences, first }), {
    target: differences[0]?.at ?? null,
    details,
    retry: false,
  });
}

function messageOf({ reason, nearest, differences, first }: Miss): string {
  if (nearest === null) return 'The recording has no exchanges.';
  const name = nameOf(nearest);
  if (reason === 'used up') {
    return `The recording has no more answers to this: the last one was ${name}. Record again, or let \`bloomery replay --lenient\` repeat it.`;
  }
  if (reason === 'too early') {
    const turn = first === null ? 'others' : nameOf(first);
    return `This is ${name}, but ${turn} was answered before it and has not been asked for. Ask in the order of the recording, or use \`bloomery replay --lenient\`.`;
  }
  const shown = differences.slice(0, told).map(inWords).join('; ');
  const more = differences.length > told ? '; …' : '';
  return `No recorded request is the same. The nearest is ${name}, which differs in: ${shown}${more}. Record again, or see whether \`bloomery replay --lenient\` passes over that.`;
}

const nameOf = ({ exchange: { number, request } }: Held): string =>
  `number ${number}, ${request.method} ${request.path}`;

const inWords = ({ at, recorded, asked }: RequestDifference): string =>
  `${at}: recorded ${recorded ?? 'nothing'}, asked ${asked ?? 'nothing'}`;
