/** `node serve-with-tool.ts DATA CONFIG`: what `serve --json` does, with a tool that answers at once. */
import { loadConfig } from '../src/config.ts';
import { scriptedTool } from '../src/families/testing/scripted-tool.ts';
import { startServer } from '../src/server.ts';

const [dataDirectory, config] = process.argv.slice(2);
if (dataDirectory === undefined || config === undefined)
  throw new Error('Usage: serve-with-tool.ts DATA CONFIG');

const server = await startServer({
  port: 0,
  host: 'localhost',
  dataDirectory,
  config: loadConfig({ file: config, environment: process.env }),
  apiKey: null,
  logLevel: 'warn',
  tools: [scriptedTool({ run: ({ n }) => `step ${n}.` })],
});
process.once('SIGTERM', () => {
  void server.close();
});
process.stdout.write(`${JSON.stringify({ endpoint: server.endpoint, apiKey: server.apiKey })}\n`);
