import { join } from 'node:path';
import { openConnection } from './connection.ts';
import { launch } from './launch.ts';
import { succeeded } from './load.ts';
import { launchBloomery, plainScript, requireCalls, startScripted, stepScript } from './servers.ts';
import { median } from './statistics.ts';

export interface McpCalls {
  /** Medians in milliseconds: of a call of the bare client, of a response with no MCP tool, and of one with a call. */
  bare: number;
  plain: number;
  called: number;
  /** What a response with a call costs beyond one without and beyond the bare call. */
  overhead: number;
}

const leastRounds = 50;
const warmUpRounds = 200;

/** One call at a time of one MCP server: by the protocol's own client over one session, and by responses. */
export async function measureMcp(
  entry: string,
  directory: string,
  onStart: (...servers: { pid: number }[]) => void,
  seconds: number,
): Promise<McpCalls> {
  const server = await launch([join(import.meta.dirname, 'mcp-server.ts')]);
  const url = String(server.ready.url);
  const peer = await startScripted(
    (home, configuration) => launchBloomery(entry, home, configuration),
    join(directory, 'mcp'),
    [...stepScript('bench: step', 1), plainScript],
  );
  onStart(server, peer);
  const tool = { type: 'mcp', server_label: 'bench', server_url: url, require_approval: 'never' };
  const requests = {
    plain: peer.ask({ input: 'bench: nothing' }),
    called: peer.ask({ input: 'bench: step', tools: [tool] }),
  };
  const client = await bareClient(url);
  const connection = await openConnection(peer.port);
  const times = { bare: [] as number[], plain: [] as number[], called: [] as number[] };
  const kinds = {
    async bare() {
      const start = performance.now();
      await client.call();
      return performance.now() - start;
    },
    async plain() {
      return succeeded(await connection.ask(requests.plain)).lastByte;
    },
    async called() {
      const answer = succeeded(await connection.ask(requests.called));
      requireCalls(answer.text(), 'mcp_call', 1);
      if (!answer.text().includes('"output":"step 1."')) throw new Error(`The call failed: ${answer.text()}`);
      return answer.lastByte;
    },
  };
  const round = async (keep: boolean) => {
    for (const kind of ['bare', 'plain', 'called'] as const) {
      const milliseconds = await kinds[kind]();
      if (keep) times[kind].push(milliseconds);
    }
  };
  for (let i = 0; i < warmUpRounds; i++) await round(false);
  const end = performance.now() + seconds * 1000;
  for (let i = 0; i < leastRounds || performance.now() < end; i++) await round(true);
  connection.close();
  await client.close();
  await peer.stop();
  await server.stop();
  const [bare, plain, called] = [median(times.bare), median(times.plain), median(times.called)];
  return { bare, plain, called, overhead: called - plain - bare };
}

async function bareClient(url: string): Promise<{ call(): Promise<void>; close(): Promise<void> }> {
  const { Client } = await import('@modelcontextprotocol/sdk/client/index.js');
  const { StreamableHTTPClientTransport } = await import(
    '@modelcontextprotocol/sdk/client/streamableHttp.js'
  );
  const client = new Client({ name: 'bench', version: '1' });
  await client.connect(new StreamableHTTPClientTransport(new URL(url)) as never);
  return {
    async call() {
      const { content } = await client.callTool({ name: 'step', arguments: { n: 1 } });
      const [first] = content as { text?: string }[];
      if (first?.text !== 'step 1.') throw new Error(`The call failed: ${JSON.stringify(content)}`);
    },
    close: () => client.close(),
  };
}
