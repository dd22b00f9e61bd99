import { invalidPayload } from '../../errors.ts';

/** The tool calls of the last assistant message that wait for their answers. */
export interface OpenCalls {
  add(callId: string, name: string, target: string): void;
  /** Closes the call that a tool message answers; its name. */
  answer(callId: string, target: string): string;
  /** Closes the call that a message of the deprecated role `function` answers; its id. */
  answerByName(name: string, target: string): string;
  /** Throws when the conversation goes on, or ends, with a call unanswered. */
  assertNone(): void;
}

/** Models refuse calls without answers and answers without calls; said here, it can name the message at fault. */
export function openCalls(): OpenCalls {
  const open = new Map<string, { name: string; target: string }>();
  return {
    add(callId, name, target) {
      if (open.has(callId))
        throw invalidPayload(target, `Two tool calls have the id '${callId}'; ids must differ.`);
      open.set(callId, { name, target });
    },
    answer(callId, target) {
      const call = open.get(callId);
      if (call === undefined) {
        throw invalidPayload(
          target,
          `Messages with role 'tool' must answer a call of the assistant message before them; none there has the tool_call_id '${callId}', or it was answered already.`,
        );
      }
      open.delete(callId);
      return call.name;
    },
    answerByName(name, target) {
      for (const [callId, call] of open) {
        if (call.name !== name) continue;
        open.delete(callId);
        return callId;
      }
      throw invalidPayload(
        target,
        `Messages with role 'function' must answer the function_call of the assistant message before them; it did not call '${name}'.`,
      );
    },
    assertNone() {
      const [first] = open.values();
      if (first === undefined) return;
      throw invalidPayload(
        first.target,
        "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. " +
          `These have no response: ${[...open.keys()].join(', ')}.`,
      );
    },
  };
}
