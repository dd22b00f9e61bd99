import { ApiError } from '../../../errors.ts';
import { toolFailure } from '../tool-failure.ts';

const longestMessage = 2000;

/** What went wrong with a server, in words for whoever reads the item. */
export function callFailure(error: unknown, url: URL): ApiError {
  if (error instanceof ApiError) return error;
  return toolFailure(messageOf(error, url).slice(0, longestMessage));
}

/** Of an error of the transport: the status that the server answered with. */
export function statusOf(error: unknown): number | null {
  const { name, code } = error as { name?: string; code?: unknown };
  const isOfTransport = error instanceof Error && name === 'Error' && typeof code === 'number';
  return isOfTransport && code >= 400 && code < 600 ? code : null;
}

const ownWords = /^(?:Streamable HTTP error|SSE error|MCP error -?\d+|Error POSTing to endpoint)\b:?\s*/;

function messageOf(error: unknown, { host }: URL): string {
  if (!(error instanceof Error)) return 'The call failed.';
  const reason = systemCode(error);
  if (reason !== null) return `The server at ${host} could not be reached (${reason}).`;
  if (error.message === 'terminated') return `The connection to ${host} broke.`;
  if (error.message === 'fetch failed') {
    const why = error.cause instanceof Error ? ` (${error.cause.message})` : '';
    return `The server at ${host} could not be reached${why}.`;
  }
  if ('issues' in error) return "The server's answer is not of the protocol's form.";
  let text = error.message;
  for (let more = true; more; ) {
    const shorter = text.replace(ownWords, '');
    more = shorter !== text;
    text = shorter;
  }
  text = text.replace(/\s+/g, ' ').trim();
  const status = statusOf(error);
  if (status !== null) return `The server answered HTTP ${status}${text === '' ? '.' : `: ${text}`}`;
  return text === '' ? 'The server failed without words.' : text;
}

/** `ECONNREFUSED` and its like, wherever the HTTP client has put it. */
function systemCode(error: Error): string | null {
  let inner: unknown = error;
  for (let depth = 0; depth < 5 && inner instanceof Error; depth++) {
    const { code } = inner as { code?: unknown };
    if (typeof code === 'string' && /^(E[A-Z]+|UND_ERR_\w+|CERT_\w+|\w*_CERT\w*)$/.test(code)) return code;
    inner = inner.cause;
  }
  return null;
}
