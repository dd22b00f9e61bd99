import Type from 'typebox';
import { isRecord } from '../../../kit/record.ts';
import type { Outbound } from '../../outbound/outbound.ts';
import type { ToolConnections } from '../connections.ts';
import { ConnectionId, namedConnection } from '../named-connection.ts';
import { replayPair } from '../replay-pair.ts';
import type { OpenTool, ServerTool, ToolContext } from '../tool.ts';
import { browserFunctions, doInBrowser } from './browser-functions.ts';
import { openBrowser } from './open-browser.ts';
import { playwrightWorkspace } from './playwright-workspace.ts';

export interface BrowserParts {
  outbound: Outbound;
  connections: ToolConnections;
}

/** The items of each version of the tool. */
const itemTypes = {
  browser_automation: 'remote_function_call',
  browser_automation_preview: 'browser_automation_preview_call',
} as const;
type BrowserType = keyof typeof itemTypes;

const Parameters = Type.Object({ connection: Type.Object({ project_connection_id: ConnectionId }) });

/** `browser_automation` and its preview: the model uses a browser of an Azure Playwright workspace. */
export const browserTools = (parts: BrowserParts): ServerTool[] =>
  (Object.keys(itemTypes) as BrowserType[]).map((type) => ({
    type,
    definition: Type.Object({ type: Type.Literal(type), [type]: Parameters }),
    itemType: itemTypes[type],
    outputItemType: `${itemTypes[type]}_output`,
    idempotent: false,
    // The first call begins the browser, which alone may take 90 s.
    timeoutSeconds: 180,
    open: (definition, context) => open(parts, type, definition, context),
    replay: replayPair,
  }));

async function open(
  { outbound, connections }: BrowserParts,
  type: BrowserType,
  definition: object,
  context: ToolContext,
): Promise<OpenTool> {
  const { connection } = (
    definition as Record<BrowserType, { connection: { project_connection_id: string } }>
  )[type];
  const place = `${context.target}.${type}.connection.project_connection_id`;
  const named = await namedConnection(connections, context, connection.project_connection_id, place);
  const browser = openBrowser(await playwrightWorkspace(outbound, named));
  return {
    functions: browserFunctions,
    needsApproval: () => false,
    fields: ({ name, arguments: text }) => ({ name, arguments: text }),
    outputFields: ({ name }) => ({ name }),
    async *run({ name, arguments: text }, signal) {
      yield* [];
      const given: unknown = JSON.parse(text);
      const argument = isRecord(given) ? given : {};
      const output = await browser.use((page) => doInBrowser(outbound, page, name, argument, signal), signal);
      return { fields: { output }, output };
    },
    close: () => browser.close(),
  };
}
