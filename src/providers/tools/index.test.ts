import { afterEach, expect, test } from 'vitest';
import { scriptedGateway } from '../../families/testing/scripted-model.ts';
import { serverTools } from './index.ts';
import { mcpTestServer, type TestServer } from './mcp/testing/mcp-server.ts';
import { fixedConnections, loopbackOutbound, opened } from './testing/opened-tool.ts';

let server: TestServer;
afterEach(() => server.close());

test('the tools that are MCP servers share their sessions, which are closed once', async () => {
  server = await mcpTestServer({ tools: [{ name: 'lines', run: () => '3' }] });
  const credentials = { type: 'CustomKeys', keys: { Authorization: 'Bearer token-1' } } as const;
  const all = serverTools({
    outbound: loopbackOutbound,
    connections: fixedConnections({ mine: { target: server.url, credentials } }),
    identity: { token: async () => null },
    search: null,
    models: scriptedGateway({}),
  });
  const types = ['mcp', 'web_iq_preview', 'fabric_iq_preview'];
  const tools = all.filter(({ type }) => types.includes(type));
  for (const tool of tools) {
    const open = await opened(tool, { type: tool.type, server_label: 'one', project_connection_id: 'mine' });
    await open.announcement?.run(AbortSignal.timeout(10_000));
    open.close?.();
  }
  expect([tools.length, server.sessions]).toEqual([3, 1]);
  const closes = tools.flatMap(({ close }) => close ?? []);
  expect(closes).toHaveLength(1);
  await closes[0]?.();
  expect(server.sessions).toBe(0);
});
