/** `node mcp-server.ts`: an MCP server made with the protocol's SDK, whose tool `step` answers at once. */
import { mcpTestServer } from '../src/providers/tools/mcp/testing/mcp-server.ts';

const tool = {
  name: 'step',
  inputSchema: { type: 'object', properties: { n: { type: 'number' } } },
  run: ({ n }: Record<string, unknown>) => `step ${n}.`,
};
const server = await mcpTestServer({ tools: [tool] });
process.once('SIGTERM', () => {
  void server.close();
});
process.stdout.write(`${JSON.stringify({ url: server.url })}\n`);
