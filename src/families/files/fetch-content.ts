import { ApiError, apiError, invalidPayload } from '../../errors.ts';
import { declaredType } from '../../kit/media-type.ts';
import type { Outbound } from '../../providers/outbound/outbound.ts';
import { type Content, inMemory } from './content.ts';

export interface FetchBounds {
  /** Called with each piece that has come; throws when it is too much. */
  take(bytes: number): void;
  signal: AbortSignal;
  seconds: number;
}

/** What is at an address. Throws about `target`; nothing of what the server there says is told. */
export async function fetchContent(
  outbound: Outbound,
  address: string,
  { filename, target }: { filename: string | null; target: string },
  { take, signal, seconds }: FetchBounds,
): Promise<Content> {
  const url = URL.parse(address);
  if (url === null) throw invalidPayload(target, 'The address is no URL.');
  try {
    const response = await outbound.fetch(address, {
      headers: { accept: '*/*', 'user-agent': 'bloomery' },
      signal,
    });
    if (!response.ok) {
      await response.body?.cancel();
      throw invalidPayload(target, `'${url.hostname}' answered with status ${response.status}.`);
    }
    const chunks: Uint8Array[] = [];
    for await (const chunk of response.body ?? []) {
      take(chunk.length);
      chunks.push(chunk);
    }
    const [type = ''] = (response.headers.get('content-type') ?? '').split(';');
    return inMemory(Buffer.concat(chunks), {
      declared: declaredType(type.trim()),
      filename: filename ?? nameIn(url),
    });
  } catch (error) {
    if (error instanceof ApiError) throw withTarget(error, target);
    const why = signal.aborted
      ? `gave no whole answer within ${seconds} seconds (limits.inputFetchSeconds)`
      : 'cannot be reached, or broke its answer off';
    throw invalidPayload(target, `'${url.hostname}' ${why}.`);
  }
}

/** Whatever keeps an address from being read is a fault of the request. */
function withTarget(error: ApiError, target: string): ApiError {
  if (error.target !== null) return error;
  const code = error.code === 'model_error' ? 'invalid_payload' : error.code;
  return apiError(code as Parameters<typeof apiError>[0], error.message, { target });
}

function nameIn({ pathname }: URL): string | null {
  const last = pathname.slice(pathname.lastIndexOf('/') + 1);
  try {
    const name = decodeURIComponent(last).slice(-200);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they have no place in names.
    return name === '' || /[\u0000-\u001f\u007f/\\]/.test(name) || !name.isWellFormed() ? null : name;
  } catch {
    return null;
  }
}
