import type { ModelCaller } from './caller.ts';

/**
 * The model seam. A provider turns a `ModelRequest` into a stream of `ModelEvent`s and knows nothing of
 * responses, conversations, storage or HTTP. An ability is the presence of the method.
 */

export interface TextPart {
  type: 'text';
  text: string;
}

/** An image, as `data:` URL or as `https:` URL. */
export interface ImagePart {
  type: 'image';
  url: string;
  detail?: 'low' | 'high' | 'auto' | 'original';
}

/** A document, as `data:` URL or as `https:` URL. */
export interface FilePart {
  type: 'file';
  url: string;
  filename: string | null;
}

export interface ToolCallPart {
  type: 'tool_call';
  callId: string;
  name: string;
  /** JSON text. */
  arguments: string;
}

export interface ReasoningPart {
  type: 'reasoning';
  text: string;
}

export type ModelMessage =
  | { role: 'system'; content: string }
  | { role: 'user'; content: (TextPart | ImagePart | FilePart)[] }
  | { role: 'assistant'; content: (TextPart | ToolCallPart | ReasoningPart)[] }
  | { role: 'tool'; callId: string; name: string; output: string };

export interface ModelTool {
  name: string;
  description: string | null;
  /** JSON Schema of the arguments. */
  parameters: Record<string, unknown>;
  strict: boolean | null;
}

export type ModelToolChoice = 'auto' | 'none' | 'required' | { name: string };

export type ModelOutputFormat =
  | { type: 'text' }
  | { type: 'json_object' }
  | {
      type: 'json_schema';
      name: string;
      description: string | null;
      schema: Record<string, unknown>;
      strict: boolean;
    };

export type ReasoningEffort = 'none' | 'minimal' | 'low' | 'medium' | 'high' | 'xhigh' | 'max';

export type Verbosity = 'low' | 'medium' | 'high';

export interface ModelRequest {
  /** Oldest first; `system` messages lead. */
  messages: ModelMessage[];
  tools: ModelTool[];
  toolChoice: ModelToolChoice;
  parallelToolCalls: boolean;
  outputFormat: ModelOutputFormat;
  /** Bound on generated tokens; null leaves it to the model. */
  maxOutputTokens: number | null;
  temperature: number | null;
  topP: number | null;
  presencePenalty: number | null;
  frequencyPenalty: number | null;
  seed: number | null;
  stop: string[];
  reasoningEffort: ReasoningEffort | null;
  /** How much to say; null leaves it to the model. */
  verbosity: Verbosity | null;
  /** Opaque id of the end user, passed on where the provider takes one. */
  user: string | null;
  /** False when nobody watches the deltas: a provider may then yield a text in one piece. */
  stream: boolean;
}

export interface ModelUsage {
  inputTokens: number;
  cachedInputTokens: number;
  outputTokens: number;
  reasoningTokens: number;
}

export type FinishReason = 'stop' | 'length' | 'tool_calls' | 'content_filter';

/**
 * Events of one model call, in order. Texts, reasonings and tool calls come one after another; a
 * `tool_call` opens a call, `tool_arguments` belong to the call last opened. `finish` comes exactly once, last.
 */
export type ModelEvent =
  | { type: 'text'; delta: string }
  | { type: 'refusal'; delta: string }
  | { type: 'reasoning'; delta: string }
  | { type: 'tool_call'; callId: string; name: string }
  | { type: 'tool_arguments'; delta: string }
  | { type: 'finish'; reason: FinishReason; usage: ModelUsage };

export interface EmbeddingRequest {
  inputs: string[];
  /** Length of the vectors; null leaves it to the model. */
  dimensions: number | null;
}

export interface EmbeddingResult {
  embeddings: (number[] | Float64Array)[];
  inputTokens: number;
}

/** A request that goes to the upstream as it is, in OpenAI's own form. */
export interface ForwardRequest {
  /** Below the upstream's base address: `/images/generations`. */
  path: string;
  /** Fields of a JSON body, or a form. Its `model` is replaced by the upstream's name of it. */
  body: Record<string, unknown> | FormData;
  /** The field with what the model is given, for refusals that are about it. */
  input: string;
  /** What the answer may be; anything else is a fault of the upstream. */
  answers: readonly AnswerKind[];
  /** Bytes of a JSON answer, and characters of an event, that are taken at most; else what suits any request. */
  mostBytes?: number;
}

export type AnswerKind = 'json' | 'events' | 'audio' | 'text';

/** JSON comes whole, with `model` set back to the deployment's name; events frame by frame, bytes as they come. */
export type ForwardAnswer =
  | { kind: 'json'; text: string }
  | { kind: 'events'; frames: AsyncIterable<string> }
  | { kind: 'audio' | 'text'; contentType: string; bytes: AsyncIterable<Uint8Array> };

export interface ModelProvider {
  /** Media types of the documents, besides texts, that it takes as data. */
  documentTypes?: readonly string[];
  /**
   * One model call. Failures before or during the stream are thrown as `ApiError`s of the catalogue
   * (`rate_limit_exceeded`, `service_unavailable`, `model_error`, `context_length_exceeded`, `content_filter`), naming the deployment and
   * never its key or address. Aborting `signal` closes the upstream connection. `caller` is whom limits count it for.
   */
  generate?(request: ModelRequest, signal: AbortSignal, caller?: ModelCaller): AsyncIterable<ModelEvent>;
  embed?(request: EmbeddingRequest, signal: AbortSignal, caller?: ModelCaller): Promise<EmbeddingResult>;
  /** Passes a request on to a server of OpenAI's API. Failures are those of `generate`, in the answer's stream as well. */
  forward?(request: ForwardRequest, signal: AbortSignal, caller?: ModelCaller): Promise<ForwardAnswer>;
  /** Tokens of the request's messages, tools and format, by the model's own tokenizer or the nearest known one. */
  countTokens(request: Pick<ModelRequest, 'messages' | 'tools' | 'outputFormat'>): number | Promise<number>;
}

/** What `GET /deployments` tells of a deployment; the key never leaves the provider. */
export interface Deployment {
  name: string;
  /** Kind of provider: `builtin`, `openai-compatible`, `azure-openai`, `anthropic`, `gguf`. */
  provider: string;
  modelName: string;
  modelVersion: string;
  modelPublisher: string;
  capabilities: Record<string, string>;
  /** Name of the connection the deployment goes through, where it has one. */
  connectionName: string | null;
}
