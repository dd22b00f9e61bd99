import { randomBytes } from 'node:crypto';
import type { ModelEvent } from '../model.ts';
import type { ResponseOptions } from './node-llama-cpp.ts';

export interface FunctionEvents {
  callbacks: Required<Pick<ResponseOptions, 'onFunctionCallParamsChunk' | 'onFunctionCall'>>;
  /** Whether a function of the caller's was called. */
  called(): boolean;
}

/** Events of the calls that a model makes. The arguments of `answerFunction` are the text of the answer. */
export function createFunctionEvents(
  answerFunction: string | null,
  push: (event: ModelEvent) => void,
): FunctionEvents {
  let open: string | null = null;
  let called = false;
  /** Grammars end arguments with empty lines, which may be none of them. */
  let held = '';

  const begin = (name: string) => {
    open = name;
    held = '';
    if (name === answerFunction) return;
    called = true;
    push({ type: 'tool_call', callId: `call_${randomBytes(12).toString('hex')}`, name });
  };
  const add = (name: string, delta: string) => {
    if (delta !== '')
      push(name === answerFunction ? { type: 'text', delta } : { type: 'tool_arguments', delta });
  };
  return {
    called: () => called,
    callbacks: {
      onFunctionCallParamsChunk({ functionName, paramsChunk }) {
        if (open === null) begin(functionName);
        const text = held + paramsChunk;
        const end = text.trimEnd().length;
        held = text.slice(end);
        add(functionName, text.slice(0, end));
      },
      onFunctionCall({ functionName }) {
        if (open === null) {
          begin(functionName);
          add(functionName, '{}');
        }
        open = null;
      },
    },
  };
}
