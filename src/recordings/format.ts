/** The file of a recording: a line that says what it is, then one line of JSON for each exchange. */
import Type, { type Static } from 'typebox';
import { OneOf } from '../kit/schema.ts';

/** A change that this reader could not make sense of gets the next number. */
export const formatVersion = 1;

/** Stands for the origin of the upstream, which no recording holds. */
export const originMark = 'https://recording.invalid';
/** Stands for a secret. Of letters that neither JSON nor an address has to escape. */
export const secretMark = '__scrubbed__';

export const mostExchanges = 10_000;
export const mostFileBytes = 1_073_741_824;
/** Of one request or answer. */
export const mostBodyBytes = 67_108_864;
/** Of all requests and answers that are under way. */
export const mostHeldBytes = 268_435_456;

/** What is not well-formed UTF-8 stands as base64. */
const Bytes = Type.Union([Type.String(), Type.Object({ base64: Type.String() })]);
export type Bytes = Static<typeof Bytes>;

/** Content that is compared only: what is long stands as its hash. */
const Content = Type.Union([Bytes, Type.Object({ sha256: Type.String(), bytes: Type.Integer() })]);
export type Content = Static<typeof Content>;

const Part = Type.Object({
  name: Type.String(),
  filename: Type.Optional(Type.String()),
  contentType: Type.String(),
  content: Content,
});
export type Part = Static<typeof Part>;

const Body = Type.Union([
  Type.Object({ json: Type.Unknown() }),
  Type.Object({ form: Type.Array(Part) }),
  Type.Object({ contentType: Type.String(), content: Content }),
]);
export type Body = Static<typeof Body>;

const Request = Type.Object({
  method: Type.String(),
  path: Type.String(),
  query: Type.Optional(Type.String()),
  headers: Type.Optional(Type.Record(Type.String(), Type.String())),
  body: Type.Optional(Body),
});
export type RecordedRequest = Static<typeof Request>;

const Answer = Type.Object({
  status: Type.Integer({ minimum: 200, maximum: 599 }),
  headers: Type.Array(Type.Tuple([Type.String(), Type.String()])),
  /** Each with the milliseconds since what came before it. */
  chunks: Type.Array(Type.Tuple([Type.Number({ minimum: 0 }), Bytes])),
  /** `cut`: it broke off, or the client left. */
  end: OneOf('whole', 'cut'),
});
export type RecordedAnswer = Static<typeof Answer>;

export const Exchange = Type.Object({
  /** By the order of the requests; lines stand in the order of the ends. */
  number: Type.Integer({ minimum: 1 }),
  /** Milliseconds from the start of the recording to the request, and from there to the end. */
  at: Type.Number({ minimum: 0 }),
  took: Type.Number({ minimum: 0 }),
  request: Request,
  answer: Answer,
});
export type Exchange = Static<typeof Exchange>;

export const Heading = Type.Object({
  bloomery_recording: Type.Integer({ minimum: 1 }),
  /** The path of the upstream's address: what clients add their paths to. */
  base: Type.String(),
  recordedAt: Type.String(),
});
export type Heading = Static<typeof Heading>;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function bytesOf(bytes: Uint8Array): Bytes {
  try {
    return utf8.decode(bytes);
  } catch {
    return { base64: Buffer.from(bytes).toString('base64') };
  }
}

export const bufferOf = (bytes: Bytes): Buffer =>
  typeof bytes === 'string' ? Buffer.from(bytes) : Buffer.from(bytes.base64, 'base64');
