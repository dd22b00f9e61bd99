import type { ApiError } from '../../../errors.ts';
import { redactedFailure, redactions } from '../redactions.ts';
import { toolFailure } from '../tool-failure.ts';
import { type Connection, lost } from './connection.ts';
import type { McpEndpoint } from './endpoint.ts';
import { callFailure, statusOf } from './failures.ts';
import type { Lease } from './session-pool.ts';

/** An MCP server as one response uses it: connected when it is first needed, and again when the connection is lost. */
export interface McpSession {
  /** Throws `ApiError`s whose messages say what went wrong and no secrets. */
  request(
    method: 'tools/list' | 'tools/call',
    params: Record<string, unknown>,
    signal: AbortSignal,
  ): Promise<Record<string, unknown>>;
  close(): void;
}

interface Question {
  method: 'tools/list' | 'tools/call' | 'ping';
  params: Record<string, unknown>;
  signal: AbortSignal;
}

/** Some servers answer no pings; then a session of one's own is the surer way. */
const pingMilliseconds = 1000;
/** Timeouts are the caller's; the protocol's client wants one anyway. */
const noTimeout = 2 ** 31 - 1;

/** `take` hands out a session that others may use, too. */
export function mcpSession({ url, headers }: McpEndpoint, take: () => Lease): McpSession {
  const redact = redactions(headers);
  let current: Lease | null = null;
  /** Whether `current` has answered this response, or was begun for it. */
  let proven = false;
  let closed = false;

  const lease = (): Lease => {
    if (closed) throw toolFailure('The response has ended.');
    if (current?.dead) letGo(current);
    if (current === null) {
      current = take();
      proven = !current.reused;
    }
    return current;
  };
  const letGo = (of: Lease): void => {
    if (current === of) current = null;
    of.retire();
    of.release();
  };
  const failure = (error: unknown): ApiError => redactedFailure(callFailure(error, url), redact);

  const ask = async (used: Lease, question: Question): Promise<Record<string, unknown>> => {
    const { signal } = question;
    try {
      const answer = await send(await used.connection, question);
      proven ||= current === used;
      return answer;
    } catch (error) {
      if (signal.aborted) {
        // Who did not answer this response in time might not answer another one either.
        if ((signal.reason as Error | undefined)?.name === 'TimeoutError') used.retire();
      } else if (breaks(error)) letGo(used);
      else proven ||= current === used;
      throw error;
    }
  };
  /** The session may have died since others used it, and a call can't be made twice to find out. */
  const living = async (signal: AbortSignal): Promise<Lease> => {
    const used = lease();
    if (proven) return used;
    const patience = AbortSignal.any([signal, AbortSignal.timeout(pingMilliseconds)]);
    await ask(used, { method: 'ping', params: {}, signal: patience }).catch(() => signal.throwIfAborted());
    if (!proven && current === used) letGo(used);
    return lease();
  };
  const answered = async (question: Question, isRepeated = false): Promise<Record<string, unknown>> => {
    const { method, signal } = question;
    const used = method === 'tools/call' ? await living(signal) : lease();
    const mayBeDead = method !== 'tools/call' && !proven;
    try {
      return await ask(used, question);
    } catch (error) {
      signal.throwIfAborted();
      // The server has forgotten the session, so it can't have run the call.
      const isForgotten = statusOf(error) === 404 && (await hasSession(used));
      if (isRepeated || !(isForgotten || (mayBeDead && breaks(error)))) throw error;
      return answered(question, true);
    }
  };

  return {
    async request(method, params, signal) {
      try {
        return await answered({ method, params, signal });
      } catch (error) {
        signal.throwIfAborted();
        throw failure(error);
      }
    },
    close() {
      closed = true;
      current?.release();
      current = null;
    },
  };
}

async function send({ client }: Connection, { method, params, signal }: Question) {
  const { ResultSchema } = await import('@modelcontextprotocol/sdk/types.js');
  signal.throwIfAborted();
  // The client never stops listening to a signal, and would cancel what has long been answered.
  const own = new AbortController();
  const onAbort = () => own.abort(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    const options = { signal: own.signal, timeout: noTimeout };
    return await client.request({ method, params } as never, ResultSchema, options);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** An error of the protocol is an answer; after any other nobody knows what the connection is good for. */
const breaks = (error: unknown): boolean =>
  !(error instanceof Error && error.name === 'McpError' && (error as { code?: number }).code !== lost);

const hasSession = ({ connection }: Lease): Promise<boolean> =>
  connection.then(
    ({ transport }) => transport.sessionId !== undefined,
    () => false,
  );
