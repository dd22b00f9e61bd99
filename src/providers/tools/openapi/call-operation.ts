import { ApiError } from '../../../errors.ts';
import { isRecord } from '../../../kit/record.ts';
import type { Outbound } from '../../outbound/outbound.ts';
import { boundedText } from '../bounded-text.ts';
import { type Redactions, redactedFailure, redactions } from '../redactions.ts';
import { toolFailure } from '../tool-failure.ts';
import type { Credentials } from './authorise.ts';
import { bodyArgument } from './operation-arguments.ts';
import type { Operation } from './operations.ts';
import { writeBody } from './request-body.ts';
import { headerText, pairs, pathText } from './serialise-parameter.ts';

const mostBytes = 1_048_576;
const longestExcerpt = 4096;
/** More than is shown, so that no secret is cut in two before it is taken out. */
const mostExcerptBytes = 65_536;

/** Calls an operation with a model's arguments and returns the text of its answer, or fails with what the API said. */
export async function callOperation(
  outbound: Outbound,
  operation: Operation,
  given: unknown,
  credentials: Credentials,
  signal: AbortSignal,
): Promise<string> {
  const redact = redactions(Object.fromEntries(credentials.headers), credentials.secrets);
  const { url, init } = request(operation, given, credentials);
  try {
    return await answered(await send(outbound, url, { ...init, signal }), redact);
  } catch (error) {
    throw error instanceof ApiError ? redactedFailure(error, redact) : error;
  }
}

async function answered(response: Response, { errors, answers }: Redactions): Promise<string> {
  if (!response.ok) {
    if (!readable(response)) await response.body?.cancel();
    const said = readable(response) ? errors((await boundedText(response, mostExcerptBytes)).text) : '';
    const clipped =
      said.length > longestExcerpt ? `${said.slice(0, longestExcerpt).toWellFormed()} [clipped]` : said;
    const excerpt = clipped === '' ? '' : ` ${clipped}`;
    throw toolFailure(`The API answered ${response.status} ${response.statusText}.${excerpt}`);
  }
  if (!readable(response)) {
    await response.body?.cancel();
    return answers(
      `[The API answered ${response.status} with ${response.headers.get('content-type')}, which is not text.]`,
    );
  }
  const { text: whole, clipped } = await boundedText(response, mostBytes);
  const text = answers(whole);
  if (clipped) return `${text}\n[clipped: the answer is longer than ${mostBytes} bytes]`;
  return text === '' ? `[The API answered ${response.status} without a body.]` : text;
}

async function send(outbound: Outbound, url: string, init: RequestInit): Promise<Response> {
  try {
    return await outbound.fetch(url, init);
  } catch (error) {
    if (error instanceof ApiError || init.signal?.aborted) throw error;
    const { cause } = error as Error;
    const reason = isRecord(cause) && typeof cause.code === 'string' ? ` (${cause.code})` : '';
    throw toolFailure(`The API at ${new URL(url).host} could not be reached${reason}.`);
  }
}

/** Types of answers that are text without saying so by `text/`. */
const textual =
  /^(?:text\/|application\/(?:[\w.-]+\+)?(?:json|xml|yaml)|application\/(?:x-)?(?:ndjson|yaml|javascript|www-form-urlencoded))/i;

function readable({ headers }: Response): boolean {
  const type = headers.get('content-type');
  return type === null || textual.test(type);
}

function request(operation: Operation, given: unknown, credentials: Credentials) {
  const values = argumentsOf(operation, given);
  const query: string[] = [];
  const cookies: string[] = [];
  const headers = new Headers({ accept: 'application/json, text/*;q=0.9, */*;q=0.5' });
  const inPath = new Map<string, string>();
  for (const parameter of operation.parameters) {
    const value = parameter.fixed ?? values.get(parameter.argument);
    if (value === undefined) continue;
    // Without its last part, a path often means all there is.
    if (parameter.in === 'path' && value === '') {
      throw toolFailure(`The parameter '${parameter.argument}' must not be empty.`);
    }
    if (parameter.in === 'path') inPath.set(parameter.name, pathText(parameter, value));
    else if (parameter.in === 'query') query.push(...pairs(parameter, value));
    else if (parameter.in === 'cookie') cookies.push(...pairs(parameter, value));
    else setHeader(headers, parameter.name, headerText(parameter, value));
  }
  for (const [name, value] of credentials.headers) setHeader(headers, name, value);
  query.push(...credentials.query);
  cookies.push(...credentials.cookies);
  if (cookies.length > 0) setHeader(headers, 'cookie', cookies.join('; '));

  const init: RequestInit = { method: operation.method, headers };
  const content = operation.body === null ? undefined : values.get(bodyArgument(operation.parameters));
  if (operation.body !== null && content !== undefined) {
    const { body, contentType } = writeBody(operation.body, content);
    if (contentType !== null) headers.set('content-type', contentType);
    init.body = body;
  }
  const path = operation.path.replace(/\{([^{}]*)\}/g, (_, name: string) => inPath.get(name) ?? '');
  const url = `${operation.server}${path}${query.length === 0 ? '' : `?${query.join('&')}`}`;
  return { url, init };
}

/** A model's arguments by name. Null stands for what was left out: strict models can't leave anything out. */
function argumentsOf(operation: Operation, given: unknown): Map<string, unknown> {
  if (!isRecord(given)) throw toolFailure('The arguments must be an object.');
  const { properties = {}, required = [] } = operation.schema as {
    properties?: Record<string, unknown>;
    required?: string[];
  };
  const values = new Map(Object.entries(given).filter(([, value]) => value !== null));
  for (const name of values.keys()) {
    if (Object.hasOwn(properties, name)) continue;
    const known = Object.keys(properties);
    throw toolFailure(
      `There is no parameter '${name.slice(0, 100)}'. ${known.length === 0 ? 'There are none.' : `There are: ${known.join(', ')}.`}`,
    );
  }
  for (const name of required) {
    if (!values.has(name)) throw toolFailure(`The parameter '${name}' is missing.`);
  }
  return values;
}

function setHeader(headers: Headers, name: string, value: string): void {
  try {
    headers.set(name, value);
  } catch {
    throw toolFailure(`The value of the header '${name}' has characters that can't be sent.`);
  }
}
