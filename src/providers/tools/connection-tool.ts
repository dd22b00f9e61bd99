import Type from 'typebox';
import type { ToolConnections } from './connections.ts';
import { type NamedConnection, OnlyConnection, onlyConnection } from './named-connection.ts';
import { replayPair } from './replay-pair.ts';
import { givenText, textFunction } from './text-function.ts';
import type { ServerTool, ToolContext, ToolResult } from './tool.ts';

/**
 * A tool that asks the one service to which its connection leads, by one function that takes a text. It only reads, so
 * that a call may be made again.
 */
export interface ConnectionTool {
  type: string;
  functionName: string;
  /** The text that the function takes, and what the model is told of it. */
  parameter: { name: string; about: string };
  timeoutSeconds: number;
  /** Makes the service ready for one response. Throws about a connection that does not lead to it. */
  open(named: NamedConnection, context: ToolContext): Promise<OpenedService>;
}

export interface OpenedService {
  /** What the model is told of the function. */
  description: string;
  ask(text: string, signal: AbortSignal): Promise<Omit<ToolResult, 'fields'>>;
}

/** The definition has its connection in `project_connections`, in a member of the name of its type. */
export function connectionTool(
  connections: ToolConnections,
  { type, functionName, parameter, timeoutSeconds, open }: ConnectionTool,
): ServerTool {
  return {
    type,
    definition: Type.Object({ type: Type.String(), [type]: OnlyConnection }),
    itemType: `${type}_call`,
    outputItemType: `${type}_call_output`,
    idempotent: true,
    timeoutSeconds,
    async open(definition, context) {
      const named = await onlyConnection(connections, context, definition, type);
      const { description, ask } = await open(named, context);
      const qualifiedName = `server_${functionName}`;
      return {
        functions: [
          textFunction({ name: functionName, qualifiedName, description }, parameter.name, parameter.about),
        ],
        functionOf: () => functionName,
        needsApproval: () => false,
        fields: ({ arguments: text }) => ({ arguments: text }),
        async *run(call, signal) {
          yield* [];
          const result = await ask(givenText(call, parameter.name), signal);
          return { ...result, fields: { output: result.output } };
        },
      };
    },
    replay: (item, output) => replayPair({ ...item, name: functionName }, output),
  };
}
