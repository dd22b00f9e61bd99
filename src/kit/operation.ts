import type { Static, TObject, TSchema } from 'typebox';
import type { Context } from './context.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/**
 * Which half of the contract an operation belongs to; decides path prefix, api-version and error envelope. `admin` is
 * neither: what the operator of this server calls, below `/admin`, with errors as on native routes.
 */
export type Wire = 'foundry' | 'openai' | 'admin';

/** One row of the contract. Validation, handler types and the served OpenAPI document derive from it. */
export interface Operation {
  method: Method;
  /**
   * Below the project, in the contract's notation: `/agents/{agent_name}:enable`. OpenAI paths omit `/openai/v1`, those
   * of administration `/admin`.
   */
  path: string;
  summary: string;
  wire: Wire;
  params?: TObject;
  query?: TObject;
  body?: TSchema;
  /** Whether the body may be missing altogether. */
  bodyOptional?: boolean;
  /**
   * Media type of the body where it is not JSON. One place may be served once per media type. Of a form
   * (`multipart/form-data`) the handler is given a `MultipartBody` to read; `body` then tells what is in it.
   */
  consumes?: string;
  /** The limit (`limits.NAME`) on the file of a form, where it is not the one on any body. */
  fileLimit?: 'fileBytes' | 'uploadPartBytes' | 'uploadBytes';
  /** Whether the answer is given before the body is read, so that any media type and size will do. */
  answersBeforeBody?: boolean;
  /** The success status; 200 unless said. */
  status?: number;
  /** Whether what was made, and not only changed, is answered with 201. */
  answersCreated?: boolean;
  result?: TSchema;
  /** The `Foundry-Features` key the whole operation needs. */
  preview?: string;
  /** Azure's name of the action that a caller's role has to allow, where `data-action.ts` would find another. */
  action?: string;
  /** The data action that it asks for besides, in all projects: for what has to do with all that is in one. */
  dataAction?: string;
  /** Whether an agent's own endpoint (`/agents/{name}/endpoint/protocols/openai`) serves it too. */
  onAgentEndpoint?: boolean;
  /** Whether the answer may be a stream of server-sent events. */
  streams?: boolean;
  /** Whether it is part of the contract only, and says so with 501. */
  notBuilt?: boolean;
  /** Whether the answer may be bytes: a file, audio, plain text. */
  answersBytes?: boolean;
}

/** Declares an operation; keeps the literal schema types. */
export const op = <const O extends Operation>(operation: O): O => operation;

export type Operations = Record<string, Operation>;

type StaticOf<T> = T extends TSchema ? Static<T> : undefined;

type BodyOf<O extends Operation> = O['consumes'] extends typeof multipart
  ? MultipartBody
  : StaticOf<O['body']>;

export interface OperationInput<O extends Operation> {
  params: StaticOf<O['params']>;
  query: StaticOf<O['query']>;
  body: O['bodyOptional'] extends true ? BodyOf<O> | undefined : BodyOf<O>;
}

export const multipart = 'multipart/form-data';

/** A form that is still on its way. The bytes can be read once; leaving early lets the rest go by unread. */
export class MultipartBody {
  /** The header with the boundary in it. */
  readonly contentType: string;
  readonly bytes: AsyncIterable<Uint8Array>;
  /** Is given the heads and contents of all parts, but not what stands between them, which differs each time. */
  digest: { update(bytes: Uint8Array): unknown } | null = null;

  constructor(contentType: string, bytes: AsyncIterable<Uint8Array>) {
    this.contentType = contentType;
    this.bytes = bytes;
  }
}

/** An answer whose status or headers differ from the operation's own. */
export class Answer {
  readonly status: number;
  readonly body: unknown;
  readonly headers: Record<string, string>;

  constructor(status: number, body: unknown, headers: Record<string, string> = {}) {
    this.status = status;
    this.body = body;
    this.headers = headers;
  }
}

/** One event: `data` is the JSON text of an object with this `type`. */
export interface StreamEvent {
  type: string;
  data: string;
}

/** A stream of server-sent events. */
export class EventStream {
  /** Each element is one whole frame, blank line included, or several that were there at once. */
  readonly frames: AsyncIterable<string>;
  /** The frame to send when the source throws after the first byte. */
  readonly onError: (error: unknown) => string;
  /** The same events for transports with frames of their own, read instead of `frames`; null where there is none. */
  readonly events: AsyncIterable<StreamEvent> | null;

  constructor(
    frames: AsyncIterable<string>,
    onError: (error: unknown) => string,
    events: AsyncIterable<StreamEvent> | null = null,
  ) {
    this.frames = frames;
    this.onError = onError;
    this.events = events;
  }
}

/**
 * Bytes as they come, at the pace of their reader. A source that fails midway breaks the connection off. It may use the
 * memory of a chunk again once it has been asked for the one after the next.
 */
export class ByteStream {
  readonly bytes: AsyncIterable<Uint8Array>;
  readonly contentType: string;
  readonly headers: Record<string, string>;
  readonly status: number;

  constructor(
    bytes: AsyncIterable<Uint8Array>,
    contentType = 'application/octet-stream',
    headers: Record<string, string> = {},
    status = 200,
  ) {
    this.bytes = bytes;
    this.contentType = contentType;
    this.headers = headers;
    this.status = status;
  }
}

/** JSON that was already serialised, such as a stored resource. */
export class JsonText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Result<O extends Operation> =
  | (O['result'] extends TSchema ? Static<O['result']> : undefined)
  | Answer
  | JsonText
  | (O['streams'] extends true ? EventStream : never)
  | (O['answersBytes'] extends true ? ByteStream : never);

export type Handler<O extends Operation> = (
  ctx: Context,
  input: OperationInput<O>,
) => Result<O> | Promise<Result<O>>;

/** One handler per operation, same names; a missing one is a type error. */
export type Handlers<T extends Operations> = { [K in keyof T]: Handler<T[K]> };

/** A resource family as the server sees it: its operations with their handlers. */
export interface Family {
  name: string;
  operations: Operations;
  handlers: Record<string, (ctx: Context, input: never) => unknown>;
  /**
   * Operations that can also be called on a WebSocket, by the `type` of the message that calls them. It is opened
   * with GET at the operation's path, which has to be served as well, and answers with the events of a stream.
   */
  messages?: Record<string, string>;
}

export const family = <const T extends Operations>(
  name: string,
  operations: T,
  handlers: Handlers<T>,
): Family => ({ name, operations, handlers: handlers as Family['handlers'] });
