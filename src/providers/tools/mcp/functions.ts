import { assertJsonSchema } from '../../../kit/validation.ts';
import { digest, functionName, shortName } from '../function-name.ts';
import type { ToolFunction } from '../tool.ts';
import type { McpToolDefinition } from './definition.ts';
import { isAllowed } from './filters.ts';
import type { ListedTool } from './listing.ts';

/** The tools of one server as functions that models can call. */
export interface ServerFunctions {
  functions: ToolFunction[];
  /** By the names of the functions. */
  tools: ReadonlyMap<string, ListedTool>;
  /** The function of a tool, by the tool's own name. */
  names: ReadonlyMap<string, string>;
}

export function serverFunctions(definition: McpToolDefinition, listing: ListedTool[]): ServerFunctions {
  const tools = new Map<string, ListedTool>();
  const names = new Map<string, string>();
  const functions: ToolFunction[] = [];
  for (const tool of listing) {
    if (names.has(tool.name) || !isAllowed(definition, tool)) continue;
    const plain = functionName(tool.name);
    const name = tools.has(plain) ? shortName(`${plain}_${digest(tool.name)}`) : plain;
    if (tools.has(name)) continue;
    tools.set(name, tool);
    names.set(tool.name, name);
    functions.push({
      name,
      qualifiedName: functionName(`${definition.server_label}___${tool.name}`),
      description: described(tool, definition),
      parameters: parameters(tool.input_schema),
      strict: null,
    });
  }
  return { functions, tools, names };
}

function described({ description }: ListedTool, { server_label, server_description }: McpToolDefinition) {
  const about = server_description ? `(${server_label}: ${server_description})` : null;
  return [description, about].filter((text) => text !== null && text !== '').join(' ') || null;
}

/** A schema that is none would fail the whole response at the model's provider; the server checks arguments anyway. */
function parameters(schema: Record<string, unknown>): Record<string, unknown> {
  try {
    assertJsonSchema(schema, 'input_schema');
    const { $schema: _, ...rest } = schema;
    return { ...rest, type: 'object', properties: schema.properties ?? {} };
  } catch {
    return { type: 'object', properties: {} };
  }
}
