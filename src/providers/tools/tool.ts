import type { TSchema } from 'typebox';
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
  /** Whether a call may be run again when nobody knows how it ended. */
  idempotent: boolean;
  /** How long a call may take, in seconds. */
  timeoutSeconds: number;
  /** Makes a definition ready for one response. Throws `ApiError`s about what is wrong with it. */
  open(definition: object, context: ToolContext): OpenTool | Promise<OpenTool>;
  /** How a finished item of this tool is told to the model in later turns; null where it says nothing. */
  replay(item: Record<string, unknown>): ReplayedCall | null;
}

export interface ToolContext {
  project: string;
  signal: AbortSignal;
}

/** A tool for one response. */
export interface OpenTool {
  /** What the model may call; names are unique among all tools of a response. */
  functions: ModelTool[];
  /** Whether somebody has to approve a call of this function first. */
  needsApproval(name: string): boolean;
  /** What an item of a call carries besides id, type and status, as soon as its arguments are known. */
  fields(call: ToolCall): Record<string, unknown>;
  /** Event types that tell of the arguments while they are streamed, where the contract has them. */
  argumentEvents?: { delta: ToolEventType; done: ToolEventType };
  /** Event types that tell of a call's course, where the contract has them. */
  phases?: { started?: ToolEventType; completed?: ToolEventType; failed?: ToolEventType };
  /**
   * Runs one call. Yields event types to tell of on the way and returns what came of it; what it throws makes a failed
   * item, and the model is told so.
   */
  run(call: ToolCall, signal: AbortSignal): AsyncGenerator<ToolEventType, ToolResult>;
}

export interface ToolCall {
  name: string;
  /** JSON text. */
  arguments: string;
}

export interface ToolResult {
  /** What the item carries in the end, over its `fields`. */
  fields: Record<string, unknown>;
  /** What the model is told. */
  output: string;
}

export interface ReplayedCall {
  name: string;
  arguments: string;
  output: string;
}

/** Of the events that the contract has for tools, those with nothing but the item's place. */
export type ToolEventType =
  | `response.${string}_call.${string}`
  | `response.${string}_call_${string}.${'delta' | 'done'}`
  | `response.mcp_list_tools.${string}`;
