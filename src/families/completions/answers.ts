import type { FinishReason, ModelEvent, ModelUsage } from '../../providers/models/model.ts';
import { usageObject } from '../chat-completions/contract.ts';
import type { ChatParts } from '../chat-completions/index.ts';
import type { Choice } from './contract.ts';

/** What a completion and all of its chunks have in common. */
export interface Envelope {
  id: string;
  object: 'text_completion';
  created: number;
  /** Name of the deployment. */
  model: string;
}

export type Finish = Extract<ModelEvent, { type: 'finish' }>;

export interface Answer {
  text: string;
  finish: Finish;
}

/** The text of a model call; a refusal is a text here, and reasoning is not part of it. */
export const textOf = (event: ModelEvent): string =>
  event.type === 'text' || event.type === 'refusal' ? event.delta : '';

/** Null where the events have no end. */
export async function answer(events: AsyncIterable<ModelEvent>): Promise<Answer | null> {
  let text = '';
  let finish: Finish | null = null;
  for await (const event of events) {
    if (event.type === 'finish') finish = event;
    else text += textOf(event);
  }
  return finish && { text, finish };
}

/** Models are offered no tools, so that none can be waited for. */
export const finishReason = (reason: FinishReason): Choice['finish_reason'] =>
  reason === 'tool_calls' ? 'stop' : reason;

export function usageOf(calls: Finish[]) {
  const sum = (field: keyof ModelUsage) => calls.reduce((total, { usage }) => total + usage[field], 0);
  return usageObject({
    inputTokens: sum('inputTokens'),
    cachedInputTokens: sum('cachedInputTokens'),
    outputTokens: sum('outputTokens'),
    reasoningTokens: sum('reasoningTokens'),
  });
}

export interface ChunkOptions {
  /** Prompts to start the texts with; null for none. */
  echo: string[] | null;
  /** One more chunk at the end, with the usage. */
  includeUsage: boolean;
  /** Pads every chunk, so that its size does not tell the length of its text. */
  obfuscate: boolean;
}

/** The frames of a streamed completion, one prompt's after another's. */
export async function* chunkFrames(
  envelope: Envelope,
  calls: AsyncIterable<AsyncIterable<ModelEvent>>,
  { echo, includeUsage, obfuscate }: ChunkOptions,
  { unfinished, padded, dataFrame, doneFrame }: ChatParts,
): AsyncGenerator<string> {
  const usage = includeUsage ? { usage: null } : {};
  const padding = (delta: object) => (obfuscate ? { obfuscation: padded(delta) } : {});
  const chunk = (index: number, text: string, finish_reason: string | null = null): string =>
    dataFrame({
      ...envelope,
      choices: [{ index, text, logprobs: null, finish_reason }],
      ...usage,
      ...padding({ text }),
    });

  const ends: Finish[] = [];
  let index = 0;
  for await (const events of calls) {
    const prompt = echo?.[index] ?? '';
    if (prompt !== '') yield chunk(index, prompt);
    let finish: Finish | null = null;
    for await (const event of events) {
      const text = textOf(event);
      if (event.type === 'finish') finish = event;
      else if (text !== '') yield chunk(index, text);
    }
    if (finish === null) throw unfinished(envelope.model);
    yield chunk(index, '', finishReason(finish.reason));
    ends.push(finish);
    index++;
  }
  if (includeUsage) yield dataFrame({ ...envelope, choices: [], usage: usageOf(ends), ...padding({}) });
  yield doneFrame;
}
