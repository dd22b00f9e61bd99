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
const nothing = new Uint8Array(0);

export function frameBytes(header: object, body: Uint8Array = nothing): Uint8Array {
  const text = new TextEncoder().encode(JSON.stringify(header));
  const frame = new Uint8Array(prefixBytes + text.length + body.length);
  const lengths = new DataView(frame.buffer);
  lengths.setUint32(0, text.length);
  lengths.setUint32(4, body.length);
  frame.set(text, prefixBytes);
  frame.set(body, prefixBytes + text.length);
  return frame;
}

/** Takes bytes as they come and answers the frames they complete. Throws on frames beyond the bounds. */
export function frameReader(bounds: FrameBounds): (chunk: Uint8Array) => Frame[] {
  let chunks: Uint8Array[] = [];
  let held = 0;
  let wanted = prefixBytes;

  const joined = (): Uint8Array => {
    const [first] = chunks;
    if (chunks.length === 1 && first !== undefined) return first;
    const whole = new Uint8Array(held);
    let at = 0;
    for (const chunk of chunks) {
      whole.set(chunk, at);
      at += chunk.length;
    }
    return whole;
  };

  return (chunk) => {
    chunks.push(chunk);
    held += chunk.length;
    const frames: Frame[] = [];
    while (held >= wanted) {
      const bytes = joined();
      const lengths = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      const header = lengths.getUint32(0);
      const body = lengths.getUint32(4);
      if (header > bounds.headerBytes || body > bounds.bodyBytes) throw new Error('A frame is too large.');
      const end = prefixBytes + header + body;
      chunks = [bytes];
      wanted = end;
      if (held < end) break;
      const text = new TextDecoder().decode(bytes.subarray(prefixBytes, prefixBytes + header));
      frames.push({ header: headerOf(text), body: bytes.subarray(prefixBytes + header, end) });
      const rest = bytes.subarray(end);
      chunks = rest.length === 0 ? [] : [rest];
      held = rest.length;
      wanted = prefixBytes;
    }
    return frames;
  };
}

function headerOf(text: string): Record<string, unknown> {
  const header: unknown = JSON.parse(text);
  if (typeof header !== 'object' || header === null) throw new Error('A frame has no header.');
  return header as Record<string, unknown>;
}
