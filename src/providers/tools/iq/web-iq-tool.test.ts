import { afterEach, expect, test } from 'vitest';
import type { ApiError } from '../../../errors.ts';
import { sessionPool } from '../mcp/session-pool.ts';
import { mcpTestServer, type TestServer } from '../mcp/testing/mcp-server.ts';
import { called, fixedConnections, loopbackOutbound, opened } from '../testing/opened-tool.ts';
import { webIqTool } from './web-iq-tool.ts';

const key = 'a-key-that-nobody-may-see';
let server: TestServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

async function open(definition: object = {}) {
  const tools = [{ name: 'web', annotations: { readOnlyHint: true }, run: () => 'The web says so.' }];
  server = await mcpTestServer({ tools });
  const connections = fixedConnections({
    'web-iq': { target: server.url, credentials: { type: 'ApiKey', apiKey: key } },
  });
  const tool = webIqTool({ outbound: loopbackOutbound, connections }, sessionPool(loopbackOutbound));
  return opened(tool, { type: 'web_iq_preview', project_connection_id: 'web-iq', ...definition });
}

test('Web IQ is an MCP server with a key of its own kind, labelled as its connection', async () => {
  const web = await open();
  const listed = await web.announcement?.run(AbortSignal.timeout(10_000));
  expect(listed).toMatchObject({ tools: [{ name: 'web' }] });
  expect(web.label).toBe('web-iq');
  expect(web.functions).toMatchObject([{ name: 'web' }]);
  expect(web.needsApproval('web')).toBe(true);
  expect((await called(web, 'web', {})).output).toBe('The web says so.');
  expect(server?.requests.at(-1)?.headers).toMatchObject({ 'x-apikey': key });
  expect(server?.requests.at(-1)?.headers).not.toHaveProperty('authorization');
  web.close?.();
});

test('its label and its approvals can be told', async () => {
  const web = await open({ server_label: 'web', require_approval: 'never' });
  await web.announcement?.run(AbortSignal.timeout(10_000));
  expect([web.label, web.needsApproval('web')]).toEqual(['web', false]);
  web.close?.();
});

test('a connection that is missing is named', async () => {
  const error: ApiError = await open({ project_connection_id: 'other' }).catch((wrong) => wrong);
  expect(error).toMatchObject({ status: 400, target: 'tools[0].project_connection_id' });
  expect(error.message).toMatch(/'other'.*bloomery connection set other/);
});
