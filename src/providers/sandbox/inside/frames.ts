/**
 * What passes between the server and a sandbox: frames of two lengths (32 bits each, big endian), a JSON header and
 * bytes. Neither side believes the other's lengths beyond its own bounds.
 */

export interface Frame {
  header: Record<string, unknown>;
  body: Uint8Array;
}

export interface FrameBounds {
  headerBytes: number;
  bodyBytes: number;
}

const prefixBytes = 8;
const nothing: Uint8Array = new Uint8Array(0);

export function frameBytes(header: object, body: Uint8Array = nothing): Uint8Array {
  const head = frameHead(header, body.length);
  const frame = new Uint8Array(head.length + body.length);
  frame.set(head);
  frame.set(body, head.length);
  return frame;
}

/** What comes before the bytes of a frame, for those who send them as they are. */
export function frameHead(header: object, bodyBytes: number): Uint8Array {
  const text = new TextEncoder().encode(JSON.stringify(header));
  const head = new Uint8Array(prefixBytes + text.length);
  const lengths = new DataView(head.buffer);
  lengths.setUint32(0, text.length);
  lengths.setUint32(4, bodyBytes);
  head.set(text, prefixBytes);
  return head;
}

/** Takes bytes as they come and answers the frames they complete. Throws on frames beyond the bounds. */
export function frameReader(bounds: FrameBounds): (chunk: Uint8Array) => Frame[] {
  const prefix = new Uint8Array(prefixBytes);
  let header = nothing;
  let body = nothing;
  /** Each is filled before the next; those of the next frame begin with its prefix. */
  let filling: 'prefix' | 'header' | 'body' = 'prefix';
  let filled = 0;

  const begin = (): void => {
    const lengths = new DataView(prefix.buffer);
    const headerBytes = lengths.getUint32(0);
    const bodyBytes = lengths.getUint32(4);
    if (headerBytes > bounds.headerBytes || bodyBytes > bounds.bodyBytes) {
      throw new Error('A frame is too large.');
    }
    header = new Uint8Array(headerBytes);
    body = new Uint8Array(bodyBytes);
  };

  return (chunk) => {
    const frames: Frame[] = [];
    for (let at = 0; ; ) {
      const part = filling === 'prefix' ? prefix : filling === 'header' ? header : body;
      const taken = chunk.subarray(at, at + part.length - filled);
      part.set(taken, filled);
      filled += taken.length;
      at += taken.length;
      if (filled < part.length) return frames;
      filled = 0;
      if (filling === 'prefix') {
        begin();
        filling = 'header';
      } else if (filling === 'header') {
        filling = 'body';
      } else {
        frames.push({ header: headerOf(new TextDecoder().decode(header)), body });
        filling = 'prefix';
      }
    }
  };
}

function headerOf(text: string): Record<string, unknown> {
  const header: unknown = JSON.parse(text);
  if (typeof header !== 'object' || header === null) throw new Error('A frame has no header.');
  return header as Record<string, unknown>;
}
