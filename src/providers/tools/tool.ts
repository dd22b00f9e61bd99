import type { TSchema } from 'typebox';
import type { FileSource } from '../../kit/named-files.ts';
import type { ModelTool } from '../models/model.ts';

/**
 * The seam of tools that run on the server. A tool knows its definitions, what it offers the model, and how a call is
 * run; it knows nothing of responses, turns or storage. The loop knows nothing of any tool.
 */
export interface ServerTool {
  /** The `type` of its definitions in agents and requests. */
  type: string;
  /** What a definition must look like. */
  definition: TSchema;
  /** The `type` of the items that its calls leave in a response. */
  itemType: string;
  /** The `type` of a second item, with what came of a call, where the contract has one; a `call_id` ties the two. */
  outputItemType?: string;
  /** Whether a call may be run again when nobody knows how it ended. */
  idempotent: boolean;
  /** How long a call may take, in seconds. */
  timeoutSeconds: number;
  /** Headers of the request that it goes by, in lower case; they are kept with the response, so no secrets. */
  headers?: readonly string[];
  /** Makes a definition ready for one response. Throws `ApiError`s about what is wrong with it. */
  open(definition: object, context: ToolContext): OpenTool | Promise<OpenTool>;
  /**
   * How a finished item of this tool is told to the model in later turns; null where it says nothing. `output` is the
   * second item of the call, where there is one.
   */
  replay(item: Record<string, unknown>, output: Record<string, unknown> | null): ReplayedCall | null;
  /** Lets go of what it keeps between responses. Called when the server stops, once all responses have ended. */
  close?(): Promise<void>;
}

export interface ToolContext {
  project: string;
  /** The roles that the caller holds in the project: a tool that acts in the server's name acts with no others. */
  roles: readonly string[];
  /** Id of the caller's key or subject, which limits are counted by; null where it is not known any more. */
  key: string | null;
  /** Whom the caller acts for; null for nobody in particular. */
  userIdentity: string | null;
  /** What the request asks to be told besides, such as `code_interpreter_call.outputs`. */
  include: readonly string[];
  /** Of the request's headers, those that its tools go by. */
  headers: Readonly<Record<string, string>>;
  /** Whether events are sent as they come; else what only they tell is told to nobody. */
  stream: boolean;
  /** Where the definition stands in the request, for errors: `tools[0]`. */
  target: string;
  /** The items that came before the response, its input among them. */
  context: readonly Record<string, unknown>[];
  /** The items of the response itself, where it is taken up again. */
  output: readonly Record<string, unknown>[];
  signal: AbortSignal;
  /**
   * An image as a `data:` URL: an uploaded one, by its id; one at an address, or one that is such a URL. Throws
   * `ApiError`s about `target`.
   */
  image(source: FileSource, target: string): Promise<string>;
  /** A number for marks such as 【7】, by which messages refer to what a tool has told; given once in a response. */
  nextMark(): number;
}

/** A tool for one response. */
export interface OpenTool {
  /** What tells it from others of its type: no two in a response have the same. */
  label?: string;
  /** What has to be found out before the model's first turn. Afterwards `functions` may be others. */
  announcement?: Announcement;
  /** What the model may call. */
  functions: ToolFunction[];
  /** The function whose call, or question for approval, an item is; unless told, the one of the item's `name`. */
  functionOf?(item: Record<string, unknown>): string | undefined;
  /** Whether somebody has to approve a call of this function first. */
  needsApproval(name: string): boolean;
  /** Of one function, where they differ: see `idempotent`. */
  isIdempotent?(name: string): boolean;
  /** What an item of a call carries besides id, type and status, as soon as its arguments are known. */
  fields(call: ToolCall): Record<string, unknown>;
  /** The same for the second item. Of a failed call, its `output` tells of the failure. */
  outputFields?(call: ToolCall): Record<string, unknown>;
  /** Event types that tell of the arguments while they are streamed, where the contract has them. */
  argumentEvents?: {
    delta: ToolEventType;
    done: ToolEventType;
    /**
     * Where they tell of one text within the arguments, not of their JSON: the text, and the member of `done` that
     * carries it. It is told once it is whole.
     */
    part?: { member: 'code'; of(call: ToolCall): string };
  };
  /** Event types that tell of a call's course, where the contract has them. */
  phases?: { started?: ToolEventType; completed?: ToolEventType; failed?: ToolEventType };
  /**
   * Runs one call. Yields events to tell of on the way, by their type or whole, and returns what came of it; what it
   * throws makes a failed item, and the model is told so.
   */
  run(call: ToolCall, signal: AbortSignal): AsyncGenerator<ToolEventType | ToolEvent, ToolResult>;
  /** Lets go of what it holds open. Called once the response has ended. */
  close?(): void;
}

export interface ToolFunction extends ModelTool {
  /**
   * The name it is offered by where another tool has one of the same `name`. Without it two of the same name are an
   * error. The tool itself always hears of `name`.
   */
  qualifiedName?: string;
}

/** An item that a tool leaves before the model's first turn. */
export interface Announcement {
  itemType: string;
  /** What the item carries from the start. */
  fields: Record<string, unknown>;
  phases: { started: ToolEventType; completed: ToolEventType; failed: ToolEventType };
  timeoutSeconds: number;
  /** Returns what the item carries in the end. What it throws is the item's `error`, and the response goes on. */
  run(signal: AbortSignal): Promise<Record<string, unknown>>;
}

export interface ToolCall {
  name: string;
  /** JSON text. */
  arguments: string;
}

export interface ToolResult {
  /** What the item carries in the end, over its `fields`; where there is a second item, that one. */
  fields: Record<string, unknown>;
  /** What the model is told. */
  output: string;
  /** What later messages of the response may refer to. */
  sources?: CitedSource[];
}

/** Wherever a message has the `mention`, it is given the annotation, with the place added. Plain data. */
export interface CitedSource {
  mention: string;
  annotation: { type: string; [member: string]: unknown };
  /** `index` where the annotation tells only where the mention begins; else it tells its end as well. */
  place?: 'index';
}

export interface ReplayedCall {
  name: string;
  arguments: string;
  output: string;
}

/** An event with members of its own; its place is added. */
export interface ToolEvent {
  type: ToolEventType;
  [member: string]: unknown;
}

/** The events that the contract has for tools. */
export type ToolEventType =
  | `response.${string}_call.${string}`
  | `response.${string}_call_${string}.${'delta' | 'done'}`
  | `response.mcp_list_tools.${string}`;
