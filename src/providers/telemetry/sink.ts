import type { ModelMessage } from '../models/model.ts';
import type { ResponseTrace } from './response-trace.ts';

/** Takes responses that have ended, to tell another system of them. Never throws, and nobody waits for it. */
export interface TraceSink {
  ended(response: EndedResponse): void;
  /** Sends what still waits, within a bound. */
  close(): Promise<void>;
}

export interface EndedResponse {
  id: string;
  project: string;
  status: 'completed' | 'incomplete' | 'failed' | 'cancelled';
  error: { code: string; message: string } | null;
  /** Name of the deployment. */
  model: string;
  agent: { name: string; version: string } | null;
  conversationId: string | null;
  previousResponseId: string | null;
  /** As requested; null where the model decides. */
  temperature: number | null;
  topP: number | null;
  maxOutputTokens: number | null;
  stream: boolean;
  outputType: 'text' | 'json';
  trace: ResponseTrace;
  /** What was said. Asked for only where content may leave the server. */
  content(): ResponseContent;
}

export interface ResponseContent {
  instructions: string | null;
  input: ModelMessage[];
  output: ModelMessage[];
}
