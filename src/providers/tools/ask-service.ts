import { ApiError } from '../../errors.ts';
import { recordOf } from '../../kit/record.ts';
import { boundedText } from './bounded-text.ts';
import type { Redactions } from './redactions.ts';
import { toolFailure } from './tool-failure.ts';

/** A service that is asked over HTTP and answers with JSON. */
export interface AskedService {
  /** What it is called in errors. */
  name: string;
  fetch: typeof fetch;
  /** Takes secrets out of what it says; without it, what it says of errors is not told. */
  redact?: Redactions;
  /** What to do about a status, beyond what it says. */
  advice?: Record<number, string>;
}

const mostBytes = 8_388_608;
const longestComplaint = 500;

/**
 * Asks once. Whatever else than JSON comes back makes a failed call, in words that an item can show; null for a status
 * that is expected.
 */
export async function askService(
  service: AskedService,
  url: string,
  init: RequestInit,
  expected: readonly number[] = [],
): Promise<unknown> {
  const { name, redact, advice } = service;
  const { response, text, clipped } = await reach(service, url, init);
  if (expected.includes(response.status)) return null;
  if (init.redirect === 'manual' && response.status >= 300 && response.status < 400) {
    throw toolFailure(
      `${name} answered with a redirect (${response.status}), which is not followed: set the connection's target, or the address among its keys, anew.`,
    );
  }
  if (!response.ok) {
    const said = redact === undefined ? '' : redact.errors(complaintIn(text)).slice(0, longestComplaint);
    const words = [
      `${name} answered ${response.status}.`,
      said,
      advice?.[response.status] ?? '',
      patience(response),
    ];
    throw toolFailure(words.filter((word) => word !== '').join(' '));
  }
  try {
    if (!clipped) return JSON.parse(redact === undefined ? text : redact.answers(text));
  } catch {
    // Told below.
  }
  throw toolFailure(`${name} answered with something that is not the JSON of results.`);
}

async function reach({ name, fetch }: AskedService, url: string, init: RequestInit) {
  let response: Response | undefined;
  try {
    response = await fetch(url, init);
    return { response, ...(await boundedText(response, mostBytes)) };
  } catch (error) {
    if (error instanceof ApiError || init.signal?.aborted) throw error;
    throw toolFailure(
      response === undefined ? `${name} could not be reached.` : `${name} broke off its answer.`,
    );
  }
}

function patience({ status, headers }: Response): string {
  const seconds = headers.get('retry-after');
  return status === 429 && seconds !== null && /^\d{1,6}$/.test(seconds)
    ? `It asks to wait ${seconds} s.`
    : '';
}

/** In whichever of the usual shapes a service says what is wrong. */
function complaintIn(text: string): string {
  try {
    const body = recordOf(JSON.parse(text));
    const [first] = Array.isArray(body.errors) ? body.errors : [];
    const said = [recordOf(body.error).message, recordOf(first).message, body.message, body.error];
    const message = said.find((each) => typeof each === 'string' && each !== '');
    return typeof message === 'string' ? message.replace(/[\p{Cc}\s]+/gu, ' ').trim() : '';
  } catch {
    return '';
  }
}
