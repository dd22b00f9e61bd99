/** One answer of an HTTP/1.1 server. */
export interface HttpAnswer {
  status: number;
  /** The body's bytes as they came, chunk by chunk. */
  body: Buffer[];
}

export interface ResponseReader {
  /** Takes what came from the socket; throws where it is not HTTP or not what was asked for. */
  read(bytes: Buffer): void;
}

const headLimit = 65_536;
const bodyLimit = 16_777_216;
const empty = Buffer.alloc(0);

type Expected = 'head' | 'sized body' | 'chunk size' | 'chunk' | 'end of chunk' | 'trailer';

/**
 * Reads answers off a keep-alive connection: bodies with a length, and chunked ones. It knows no more than the two
 * servers measured here send, because what it costs is taken from the servers' share of the machine.
 */
export function createResponseReader(on: {
  /** The first byte of a body is here. */
  body(): void;
  end(answer: HttpAnswer): void;
}): ResponseReader {
  let pending: Buffer = empty;
  let expected: Expected = 'head';
  let answer: HttpAnswer = { status: 0, body: [] };
  let left = 0;
  let size = 0;

  return {
    read(bytes) {
      pending = pending.length === 0 ? bytes : Buffer.concat([pending, bytes]);
      while (step());
    },
  };

  /** Takes one part off what is pending; false when the rest of it has not come yet. */
  function step(): boolean {
    switch (expected) {
      case 'head':
        return readHead();
      case 'sized body':
        return readBody(finish);
      case 'chunk size': {
        const line = take('\r\n', 256);
        if (line === null) return false;
        left = lengthOf(line, /^([0-9a-f]+)(?:;|$)/i, 16);
        expected = left === 0 ? 'trailer' : 'chunk';
        return true;
      }
      case 'chunk':
        return readBody(() => {
          expected = 'end of chunk';
        });
      case 'end of chunk':
        if (take('\r\n', 0) === null) return false;
        expected = 'chunk size';
        return true;
      case 'trailer': {
        const line = take('\r\n', headLimit);
        if (line === '') finish();
        return line !== null;
      }
    }
  }

  function readHead(): boolean {
    const head = take('\r\n\r\n', headLimit);
    if (head === null) return false;
    answer = { status: lengthOf(head, /^HTTP\/1\.1 (\d{3}) /, 10), body: [] };
    size = 0;
    if (/^transfer-encoding: *chunked *$/im.test(head)) {
      expected = 'chunk size';
      return true;
    }
    left = lengthOf(head, /^content-length: *(\d+) *$/im, 10);
    if (left === 0) finish();
    else expected = 'sized body';
    return true;
  }

  function readBody(whole: () => void): boolean {
    if (pending.length === 0) return false;
    const part = pending.length <= left ? pending : pending.subarray(0, left);
    pending = pending.length <= left ? empty : pending.subarray(left);
    left -= part.length;
    size += part.length;
    if (size > bodyLimit) throw new Error(`The answer has more than ${bodyLimit} bytes.`);
    answer.body.push(part);
    if (size === part.length) on.body();
    if (left === 0) whole();
    return pending.length > 0;
  }

  function finish(): void {
    expected = 'head';
    on.end(answer);
  }

  /** The text before `end`, which is taken too; null while it is not here. */
  function take(end: string, limit: number): string | null {
    const at = pending.indexOf(end);
    if (at > limit || (at === -1 && pending.length > limit + end.length)) {
      throw new Error(`The answer is not HTTP: ${pending.toString('latin1', 0, 80)}`);
    }
    if (at === -1) return null;
    const text = pending.toString('latin1', 0, at);
    pending = pending.subarray(at + end.length);
    return text;
  }
}

function lengthOf(text: string, pattern: RegExp, base: number): number {
  const [, digits] = pattern.exec(text) ?? [];
  if (digits === undefined) throw new Error(`The answer does not say ${pattern}: ${text.slice(0, 400)}`);
  return Number.parseInt(digits, base);
}
