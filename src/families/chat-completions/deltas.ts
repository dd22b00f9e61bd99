import { newId } from '../../kit/ids.ts';
import type { ModelEvent } from '../../providers/models/model.ts';
import { unwrapFreeText } from './tools.ts';

/** A piece of a tool call. Id, type and name come once, with its first piece. */
export interface ToolCallDelta {
  index: number;
  id?: string;
  type?: 'function' | 'custom';
  function?: { name?: string; arguments: string };
  custom?: { name?: string; input: string };
}

/** A piece of the assistant's message, as chunks carry it. */
export interface Delta {
  role?: 'assistant';
  content?: string | null;
  refusal?: string | null;
  tool_calls?: [ToolCallDelta];
}

export type Finish = Extract<ModelEvent, { type: 'finish' }>;

/** The pieces of a completion in their order, its role first, then its end. Reasoning is not part of a chat completion's message. */
export async function* deltas(
  events: AsyncIterable<ModelEvent>,
  customTools: ReadonlySet<string>,
): AsyncGenerator<Delta | Finish> {
  let isOpen = false;
  let index = -1;
  // The free text of a custom tool can be read once its JSON is whole.
  let wrapped: string | null = null;
  for await (const event of events) {
    if (!isOpen) yield { role: 'assistant', content: event.type === 'text' ? '' : null, refusal: null };
    isOpen = true;
    if (wrapped !== null && event.type !== 'tool_arguments') {
      yield call({ index, custom: { input: unwrapFreeText(wrapped) } });
      wrapped = null;
    }
    switch (event.type) {
      case 'text':
        yield { content: event.delta };
        break;
      case 'refusal':
        yield { refusal: event.delta };
        break;
      case 'tool_call': {
        index++;
        const { name } = event;
        const id = event.callId === '' ? newId('call') : event.callId;
        if (customTools.has(name)) {
          wrapped = '';
          yield call({ index, id, type: 'custom', custom: { name, input: '' } });
        } else yield call({ index, id, type: 'function', function: { name, arguments: '' } });
        break;
      }
      case 'tool_arguments':
        if (wrapped !== null) wrapped += event.delta;
        else yield call({ index, function: { arguments: event.delta } });
        break;
      case 'finish':
        yield event;
    }
  }
}

const call = (piece: ToolCallDelta): Delta => ({ tool_calls: [piece] });

export const isFinish = (piece: Delta | Finish): piece is Finish => 'type' in piece;
