import type { McpToolDefinition, ToolFilter } from './definition.ts';
import type { ListedTool } from './listing.ts';

type Filtered = Pick<ListedTool, 'name' | 'annotations'>;

/** Everything that is given must fit; a filter that says nothing fits nothing. */
function fits(filter: ToolFilter | null | undefined, tool: Filtered): boolean {
  if (!filter) return false;
  const { tool_names: names, read_only: readOnly } = filter;
  if (!names && typeof readOnly !== 'boolean') return false;
  if (names && !names.includes(tool.name)) return false;
  return typeof readOnly !== 'boolean' || readOnly === (tool.annotations?.readOnlyHint === true);
}

export function isAllowed({ allowed_tools: allowed }: McpToolDefinition, tool: Filtered): boolean {
  if (!allowed) return true;
  return Array.isArray(allowed) ? allowed.includes(tool.name) : fits(allowed, tool);
}

/** Whoever says nothing is asked. */
export function needsApproval({ require_approval: rule }: McpToolDefinition, tool: Filtered): boolean {
  if (rule === 'never') return false;
  if (!rule || rule === 'always') return true;
  return fits(rule.always, tool) || !fits(rule.never, tool);
}
