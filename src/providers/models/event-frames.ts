import { apiError } from '../../errors.ts';

/** Images come whole in an event, so events are long. */
const mostCharacters = 134_217_728;

/** The server-sent events of a stream, one frame each with its blank line, whatever the chunks and line ends. */
export async function* eventFrames(
  bytes: AsyncIterable<Uint8Array>,
  most = mostCharacters,
): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let pieces: string[] = [];
  let length = 0;
  let held = '';
  for await (const chunk of bytes) {
    const read = held + decoder.decode(chunk, { stream: true });
    // What may be half of a line end or of a blank line waits for the other half.
    const halfEnd = read.endsWith('\r') ? '\r' : '';
    const text = toLineFeeds(read.slice(0, read.length - halfEnd.length));
    const halfBlank = /(?<!\n)\n$/.test(text) ? '\n' : '';
    held = halfBlank + halfEnd;
    const parts = text.slice(0, text.length - halfBlank.length).split('\n\n');
    const rest = parts.pop() ?? '';
    for (const part of parts) {
      const frame = wholeFrame(pieces.join('') + part);
      pieces = [];
      length = 0;
      if (frame !== null) yield frame;
    }
    pieces.push(rest);
    length += rest.length;
    if (length > most)
      throw apiError('model_error', `The model server sent an event of more than ${most} characters.`);
  }
  const last = wholeFrame(pieces.join('') + toLineFeeds(held + decoder.decode()));
  if (last !== null) yield last;
}

const toLineFeeds = (text: string): string => text.replace(/\r\n?/g, '\n');

function wholeFrame(text: string): string | null {
  const trimmed = text.replace(/^\n+|\n+$/g, '');
  return trimmed === '' ? null : `${trimmed}\n\n`;
}

/** What the event complains of: an event `error`, or data with an `error` in it. Null for all others. */
export function complaintIn(frame: string): unknown {
  const isError = /^event: ?error$/m.test(frame);
  if (!isError && !frame.includes('"error"')) return null;
  const data = frameData(frame);
  try {
    const value: unknown = JSON.parse(data);
    return isError || complains(value) ? value : null;
  } catch {
    return isError ? { message: data } : null;
  }
}

export const frameData = (frame: string): string =>
  frame
    .split('\n')
    .filter((line) => line.startsWith('data:'))
    .map((line) => line.slice('data:'.length).trim())
    .join('\n');

/** Whether a JSON answer is an error in spite of its status. */
export function complains(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { error, type } = value as { error?: unknown; type?: unknown };
  return Boolean(error) || type === 'error';
}
