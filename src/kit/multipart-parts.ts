import { type ApiError, invalidPayload } from '../errors.ts';
import type { MultipartBody } from './operation.ts';

const mostHeaderBytes = 16_384;
const mostBoundaryBytes = 200;
const lineEnd = Buffer.from('\r\n');
const headersEnd = Buffer.from('\r\n\r\n');
const carriageReturn = 0x0d;
const nothing = Buffer.alloc(0);
/** Where a part begins, in what is digested. */
const partMark = Buffer.from('\r\n\0part\r\n');

/**
 * The parts of a form, read one after the other straight from where its bytes come from: it holds the chunk that came
 * last and nothing more, copies none of it, and reads no faster than it is asked to.
 */
export class MultipartParts {
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #delimiter: Buffer;
  /** What has come and was not given out. A form may begin with its delimiter, without a line before it. */
  #held: Buffer = lineEnd;
  #inPart = true;

  readonly #digest: MultipartBody['digest'];

  constructor(bytes: AsyncIterable<Uint8Array>, boundary: string, digest: MultipartBody['digest'] = null) {
    this.#digest = digest;
    this.#source = bytes[Symbol.asyncIterator]();
    this.#delimiter = Buffer.from(`\r\n--${boundary}`);
  }

  /** The headers of the next part, without the empty line; null after the last one. What was left of this one is skipped. */
  async next(): Promise<Buffer | null> {
    while ((await this.piece()) !== null);
    while (this.#held.length < 2) await this.#more();
    if (this.#held[0] === 0x2d && this.#held[1] === 0x2d) return null;
    let end = this.#held.indexOf(headersEnd);
    while (end === -1) {
      if (this.#held.length > mostHeaderBytes) break;
      await this.#more();
      end = this.#held.indexOf(headersEnd);
    }
    if (end === -1 || end > mostHeaderBytes) throw tooLong();
    const head = this.#held.subarray(0, end);
    await this.#beginAt(end + lineEnd.length);
    const line = head.indexOf(lineEnd);
    // Between the delimiter and its line's end there may be blanks.
    if (/[^ \t]/.test(head.toString('latin1', 0, line === -1 ? end : line))) throw malformed();
    const headers = line === -1 ? nothing : head.subarray(line + lineEnd.length);
    this.#digest?.update(partMark);
    this.#digest?.update(headers);
    this.#digest?.update(headersEnd);
    return headers;
  }

  /** A piece of what this part contains, as long as what came; null at its end. */
  async piece(): Promise<Buffer | null> {
    const piece = await this.#piece();
    if (piece !== null) this.#digest?.update(piece);
    return piece;
  }

  async #piece(): Promise<Buffer | null> {
    while (this.#inPart) {
      const at = this.#held.indexOf(this.#delimiter);
      if (at !== -1) {
        this.#inPart = false;
        const last = this.#held.subarray(0, at);
        this.#held = this.#held.subarray(at + this.#delimiter.length);
        if (last.length > 0) return last;
        break;
      }
      const safe = this.#held.length - this.#begun();
      if (safe === 0) {
        await this.#more();
        continue;
      }
      const piece = this.#held.subarray(0, safe);
      this.#held = this.#held.subarray(safe);
      return piece;
    }
    return null;
  }

  /** Reads what comes after the last part; nobody wants it. */
  async skipRest(): Promise<void> {
    this.#held = nothing;
    while ((await this.#source.next()).done !== true);
  }

  /** Lets go of the source. */
  async close(): Promise<void> {
    await this.#source.return?.();
  }

  /** The empty line that ends the headers may be the one that the next delimiter begins with: there is nothing between. */
  async #beginAt(emptyLine: number): Promise<void> {
    const end = emptyLine + this.#delimiter.length;
    while (this.#held.length < end) await this.#more();
    const isEmpty = this.#held.compare(this.#delimiter, 0, this.#delimiter.length, emptyLine, end) === 0;
    this.#held = this.#held.subarray(isEmpty ? emptyLine : emptyLine + lineEnd.length);
    this.#inPart = true;
  }

  async #more(): Promise<void> {
    const { value, done } = await this.#source.next();
    if (done) throw malformed();
    const chunk = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    this.#held = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
  }

  /** How many bytes at the end may turn out to be the beginning of a delimiter. */
  #begun(): number {
    const held = this.#held;
    let at = held.indexOf(carriageReturn, Math.max(0, held.length - this.#delimiter.length + 1));
    for (; at !== -1; at = held.indexOf(carriageReturn, at + 1)) {
      const tail = held.length - at;
      if (held.compare(this.#delimiter, 0, tail, at) === 0) return tail;
    }
    return 0;
  }
}

/** The boundary that a `Content-Type` names; null where it is none. */
export function boundaryOf(contentType: string): string | null {
  const [, quoted, plain] =
    /^\s*multipart\/form-data\b.*?;\s*boundary\s*=\s*(?:"([^"\r\n]+)"|([^\s;,"]+))/i.exec(contentType) ?? [];
  const boundary = quoted ?? plain ?? '';
  return boundary === '' || boundary.length > mostBoundaryBytes ? null : boundary;
}

export const malformed = (what = ''): ApiError =>
  invalidPayload('body', `The body is not a well-formed form (multipart/form-data)${what && `: ${what}`}.`);

const tooLong = (): ApiError => malformed(`the headers of a part end within ${mostHeaderBytes} bytes`);
