import { invalidPayload } from '../../errors.ts';
import { fieldValidator } from '../../kit/validation.ts';
import type { ModelTool } from '../../providers/models/model.ts';
import type { OpenTool, ReplayedCall, ServerTool, ToolContext } from '../../providers/tools/tool.ts';
import type { Tool } from './request-parts.ts';

/** The tools that this server runs. */
export interface ToolRegistry {
  find(type: string): ServerTool | undefined;
  /** Throws unless the definition is one of its tool. */
  check(definition: Tool, target: string): void;
  /** What an item of any tool tells the model in later turns. */
  replay(item: Record<string, unknown>): ReplayedCall | null;
}

export function toolRegistry(tools: ServerTool[]): ToolRegistry {
  const byType = new Map(tools.map((tool) => [tool.type, { tool, valid: fieldValidator(tool.definition) }]));
  const byItem = new Map(tools.map((tool) => [tool.itemType, tool]));
  return {
    find: (type) => byType.get(type)?.tool,
    check(definition, target) {
      byType.get(definition.type as string)?.valid(definition, target);
    },
    replay: (item) => byItem.get(String(item.type))?.replay(item) ?? null,
  };
}

/** A server-side tool as one response uses it. */
export interface ToolBinding {
  tool: ServerTool;
  open: OpenTool;
}

export interface ToolSet {
  /** What the model is offered of server-side tools. */
  functions: ModelTool[];
  bindings: ReadonlyMap<string, ToolBinding>;
}

export const noServerTools: ToolSet = { functions: [], bindings: new Map() };

/** Makes the server-side tools of a response ready. `taken` are the names of the client's own. */
export async function openTools(
  registry: ToolRegistry,
  definitions: { definition: Tool; target: string }[],
  taken: ReadonlySet<string>,
  context: ToolContext,
): Promise<ToolSet> {
  if (definitions.length === 0) return noServerTools;
  const functions: ModelTool[] = [];
  const bindings = new Map<string, ToolBinding>();
  for (const { definition, target } of definitions) {
    const tool = registry.find(definition.type as string);
    if (tool === undefined) continue;
    const open = await tool.open(definition, context);
    for (const offered of open.functions) {
      if (taken.has(offered.name) || bindings.has(offered.name)) {
        throw invalidPayload(target, `Two tools offer a function '${offered.name}'; names must differ.`);
      }
      functions.push(offered);
      bindings.set(offered.name, { tool, open });
    }
  }
  return { functions, bindings };
}
