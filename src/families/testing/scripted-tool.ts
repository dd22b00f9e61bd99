import Type from 'typebox';
import { apiError } from '../../errors.ts';
import type { ServerTool } from '../../providers/tools/tool.ts';

export interface ScriptedToolOptions {
  type?: string;
  idempotent?: boolean;
  timeoutSeconds?: number;
  /** What a call answers, by its arguments; throws to fail. */
  run(argument: Record<string, unknown>, signal: AbortSignal): string | Promise<string>;
}

/**
 * A server-side tool that stands for the real ones in tests. Its definition: `{type, functions: [name…],
 * require_approval?: [name…]}`; its calls are items of the type `mcp_call`.
 */
export function scriptedTool(
  options: ScriptedToolOptions,
): ServerTool & { calls: Record<string, unknown>[] } {
  const calls: Record<string, unknown>[] = [];
  return {
    calls,
    type: options.type ?? 'scripted',
    definition: Type.Object({
      type: Type.String(),
      functions: Type.Array(Type.String(), { minItems: 1 }),
      require_approval: Type.Optional(Type.Array(Type.String())),
    }),
    itemType: 'mcp_call',
    idempotent: options.idempotent ?? false,
    timeoutSeconds: options.timeoutSeconds ?? 10,
    open(definition) {
      const { functions, require_approval = [] } = definition as {
        functions: string[];
        require_approval?: string[];
      };
      return {
        functions: functions.map((name) => ({
          name,
          description: `The scripted function ${name}.`,
          parameters: { type: 'object', properties: { n: { type: 'number' } } },
          strict: null,
        })),
        needsApproval: (name) => require_approval.includes(name),
        fields: (call) => ({ server_label: 'scripted', name: call.name, arguments: call.arguments }),
        argumentEvents: {
          delta: 'response.mcp_call_arguments.delta',
          done: 'response.mcp_call_arguments.done',
        },
        phases: {
          started: 'response.mcp_call.in_progress',
          completed: 'response.mcp_call.completed',
          failed: 'response.mcp_call.failed',
        },
        async *run(call, signal) {
          const argument = JSON.parse(call.arguments) as Record<string, unknown>;
          calls.push(argument);
          const output = await options.run(argument, signal);
          yield* [];
          return { fields: { output }, output };
        },
      };
    },
    replay: ({ name, arguments: text, output, error }) => ({
      name: String(name),
      arguments: String(text),
      output: typeof output === 'string' ? output : `The call failed: ${JSON.stringify(error)}`,
    }),
  };
}

/** A failure with words of its own. */
export const toolFailure = (message: string) => apiError('model_error', message);
