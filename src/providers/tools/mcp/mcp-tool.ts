import { ApiError } from '../../../errors.ts';
import type { Outbound } from '../../outbound/outbound.ts';
import type { ToolConnections } from '../connections.ts';
import { functionName } from '../function-name.ts';
import { redactions } from '../redactions.ts';
import type { Announcement, OpenTool, ServerTool, ToolContext } from '../tool.ts';
import { toolFailure } from '../tool-failure.ts';
import { McpToolDefinition, refuseUnsupported } from './definition.ts';
import { mcpEndpoint } from './endpoint.ts';
import { isAllowed, needsApproval } from './filters.ts';
import { serverFunctions } from './functions.ts';
import { filterOf, knownListing, type ListedTool, listTools } from './listing.ts';
import { resultText } from './result-text.ts';
import { type McpSession, mcpSession } from './session.ts';
import type { SessionPool } from './session-pool.ts';

const defaultSeconds = 60;

export interface McpParts {
  outbound: Outbound;
  connections: ToolConnections;
  /** How long listing tools may take, and a call. */
  timeoutSeconds?: number;
}

const phases = {
  started: 'response.mcp_call.in_progress',
  completed: 'response.mcp_call.completed',
  failed: 'response.mcp_call.failed',
} as const;

const argumentEvents = {
  delta: 'response.mcp_call_arguments.delta',
  done: 'response.mcp_call_arguments.done',
} as const;

const listPhases = {
  started: 'response.mcp_list_tools.in_progress',
  completed: 'response.mcp_list_tools.completed',
  failed: 'response.mcp_list_tools.failed',
} as const;

/** What the tools that are MCP servers have in common. */
export const mcpToolBase = ({ timeoutSeconds = defaultSeconds }: McpParts) =>
  ({
    itemType: 'mcp_call',
    idempotent: false,
    timeoutSeconds,
    replay({ name, arguments: text, output, error }) {
      const { message } = (error ?? {}) as { message?: unknown };
      return {
        name: String(name),
        arguments: String(text),
        output: typeof output === 'string' ? output : `The call failed: ${message ?? 'it has no output.'}`,
      };
    },
  }) satisfies Partial<ServerTool>;

/** `mcp`: the tools of an MCP server, which is reached over HTTP. Closes the pool, which others may use besides. */
export function mcpTool(parts: McpParts, pool: SessionPool): ServerTool {
  return {
    ...mcpToolBase(parts),
    type: 'mcp',
    definition: McpToolDefinition,
    open: (definition, context) => openMcpServer(parts, pool, definition as McpToolDefinition, context),
    close: pool.close,
  };
}

/** Makes a server ready for one response. The key of a connection goes into `keyHeader`, or is a bearer token. */
export async function openMcpServer(
  { outbound, connections, timeoutSeconds = defaultSeconds }: McpParts,
  pool: SessionPool,
  definition: McpToolDefinition,
  context: ToolContext,
  keyHeader: string | null = null,
): Promise<OpenTool> {
  const { server_label: label } = definition;
  refuseUnsupported(definition, context.target);
  const endpoint = await mcpEndpoint(definition, connections, context, keyHeader);
  const place = definition.server_url ? 'server_url' : 'project_connection_id';
  await outbound.check(endpoint.url.href, `${context.target}.${place}`);
  const { project, userIdentity } = context;
  const owner = { project, userIdentity, connection: definition.project_connection_id || null };
  const session = mcpSession(endpoint, () => pool.take(owner, endpoint));
  const redact = redactions(endpoint.headers);
  let listing = knownListing(definition, context);
  let offered = serverFunctions(definition, listing ?? []);

  const announcement: Announcement = {
    itemType: 'mcp_list_tools',
    fields: { server_label: label, ...filterOf(definition), tools: [], error: null },
    phases: listPhases,
    timeoutSeconds,
    async run(signal) {
      const all = await listTools(session, signal);
      const allowed = all.filter((tool) => isAllowed(definition, tool));
      listing = JSON.parse(redact.answers(JSON.stringify(allowed))) as ListedTool[];
      offered = serverFunctions(definition, listing);
      open.functions = offered.functions;
      return { tools: listing };
    },
  };

  const open: OpenTool = {
    label,
    ...(listing === undefined ? { announcement } : {}),
    functions: offered.functions,
    functionOf({ server_label, name }) {
      if (server_label !== label || typeof name !== 'string') return undefined;
      return offered.names.get(name) ?? (listing === undefined ? functionName(name) : undefined);
    },
    needsApproval(name) {
      const tool = offered.tools.get(name);
      return tool === undefined || needsApproval(definition, tool);
    },
    isIdempotent(name) {
      const { readOnlyHint, idempotentHint } = offered.tools.get(name)?.annotations ?? {};
      return readOnlyHint === true || idempotentHint === true;
    },
    fields: ({ name, arguments: text }) => ({
      server_label: label,
      name: offered.tools.get(name)?.name ?? name,
      arguments: text,
    }),
    argumentEvents,
    phases,
    async *run(call, signal) {
      yield* [];
      const tool = offered.tools.get(call.name);
      if (tool === undefined) {
        throw toolFailure(`The MCP server '${label}' offers no tool '${call.name}' here.`);
      }
      const output = await callTool(session, tool.name, call.arguments, signal).catch((error) => {
        throw error instanceof ApiError ? toolFailure(redact.errors(error.message)) : error;
      });
      const shown = redact.answers(output);
      return { fields: { output: shown, error: null }, output: shown };
    },
    close: () => session.close(),
  };
  return open;
}

const longestError = 16_384;

async function callTool(
  session: McpSession,
  name: string,
  text: string,
  signal: AbortSignal,
): Promise<string> {
  const given: unknown = JSON.parse(text);
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw toolFailure('The arguments must be an object.');
  }
  const { CallToolResultSchema } = await import('@modelcontextprotocol/sdk/types.js');
  const answer = await session.request('tools/call', { name, arguments: given }, signal);
  const parsed = CallToolResultSchema.safeParse(answer);
  // The schema takes an answer without content for an empty one; of something else it would make a success.
  const isAnswer = 'content' in answer || 'structuredContent' in answer;
  if (!parsed.success || !isAnswer) {
    const place = parsed.error?.issues[0]?.path.join('.') ?? 'content';
    throw toolFailure(`The server's answer is not of the protocol's form, at '${place}'.`);
  }
  const output = resultText(parsed.data);
  if (parsed.data.isError !== true) return output;
  throw toolFailure(output === '' ? 'The tool failed without words.' : output.slice(0, longestError));
}
