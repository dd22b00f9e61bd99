import { isRecord } from '../../../kit/record.ts';
import { toolFailure } from '../tool-failure.ts';
import type { McpToolDefinition } from './definition.ts';
import type { McpSession } from './session.ts';

/** A tool as items of the type `mcp_list_tools` have it. */
export interface ListedTool {
  name: string;
  description: string | null;
  input_schema: Record<string, unknown>;
  annotations: Record<string, unknown> | null;
}

const mostPages = 100;
const mostTools = 1000;

/** All tools that a server offers. */
export async function listTools(session: McpSession, signal: AbortSignal): Promise<ListedTool[]> {
  const tools = new Map<string, ListedTool>();
  let cursor: string | undefined;
  for (let page = 0; page < mostPages; page++) {
    const { ListToolsResultSchema } = await import('@modelcontextprotocol/sdk/types.js');
    const result = await session.request('tools/list', cursor === undefined ? {} : { cursor }, signal);
    const parsed = ListToolsResultSchema.safeParse(result);
    if (!parsed.success) {
      const place = parsed.error.issues[0]?.path.join('.') ?? '';
      throw toolFailure(`The server's list of tools is not of the protocol's form, at '${place}'.`);
    }
    for (const { name, description, inputSchema, annotations } of parsed.data.tools) {
      const tool = { name, description: description ?? null, input_schema: inputSchema };
      if (!tools.has(name)) tools.set(name, { ...tool, annotations: annotations ?? null });
    }
    if (tools.size > mostTools) throw toolFailure(`The server offers more than ${mostTools} tools.`);
    cursor = parsed.data.nextCursor;
    if (cursor === undefined) return [...tools.values()];
  }
  throw toolFailure(`The server's list of tools goes on beyond ${mostPages} pages.`);
}

/** What tells listings of one server apart: with another filter the tools are others. */
export const filterOf = ({ allowed_tools: allowed }: McpToolDefinition): { allowed_tools?: unknown } =>
  allowed ? { allowed_tools: allowed } : {};

type Items = readonly Record<string, unknown>[];

/**
 * The listing that a response has, or takes over from what came before it: undefined when the server has to be asked,
 * empty when it was asked and failed.
 */
export function knownListing(
  definition: McpToolDefinition,
  { context, output }: { context: Items; output: Items },
): ListedTool[] | undefined {
  const isOurs = (item: Record<string, unknown>): boolean =>
    item.type === 'mcp_list_tools' &&
    item.server_label === definition.server_label &&
    JSON.stringify(item.allowed_tools) === JSON.stringify(filterOf(definition).allowed_tools);
  const own = output.findLast((item) => isOurs(item) && item.status !== 'incomplete');
  if (own !== undefined) return listed(own) ?? [];
  const { allowed_tools: allowed } = definition;
  // Whoever writes the context could call any tool read-only, so that is asked of the server itself.
  if (allowed && !Array.isArray(allowed) && typeof allowed.read_only === 'boolean') return undefined;
  const before = context.findLast((item) => isOurs(item) && listed(item) !== undefined);
  return before && listed(before);
}

/** Undefined unless it is a listing that went well. Contexts are written by clients, too. */
function listed({ tools, error, status }: Record<string, unknown>): ListedTool[] | undefined {
  if (error || status === 'incomplete' || !Array.isArray(tools) || tools.length > mostTools) return undefined;
  const isTool = (tool: unknown): tool is ListedTool =>
    isRecord(tool) && typeof tool.name === 'string' && tool.name !== '' && isRecord(tool.input_schema);
  return tools.every(isTool)
    ? tools.map(({ name, description, input_schema, annotations }) => ({
        name,
        description: typeof description === 'string' ? description : null,
        input_schema,
        annotations: isRecord(annotations) ? annotations : null,
      }))
    : undefined;
}
