import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { mcpTestServer, type TestServer } from '../../../src/providers/tools/mcp/testing/mcp-server.ts';
import { type ServedProcess, startProcess } from '../../faults/served-process.ts';
import {
  type PythonEnvironment,
  preparationMilliseconds,
  pythonEnvironment,
} from '../../python-environment.ts';

const run = promisify(execFile);
const here = import.meta.dirname;
const main = join(here, '../../../src/main.ts');

let environment: PythonEnvironment;
beforeAll(async () => {
  environment = await pythonEnvironment();
}, preparationMilliseconds);

let directory: string;
let server: ServedProcess;
let tools: TestServer;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'bloomery-approvals-'));
  server = await startProcess(directory, { scripted: false });
  tools = await mcpTestServer({
    tools: [
      {
        name: 'get_weather',
        description: 'Get the weather in a city',
        inputSchema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
        run: ({ city }) => `It rains in ${city}.`,
      },
    ],
  });
});
afterEach(async () => {
  await server.kill();
  await tools.close();
  rmSync(directory, { recursive: true, force: true });
});

/** Runs a client with the variables that `bloomery env` tells of the server that runs now. */
async function client(program: string, script: string, words: string[]): Promise<Record<string, unknown>> {
  const data = join(directory, 'data');
  const told = await run(process.execPath, [main, 'env', '--format', 'json', '--data', data]);
  const { PATH, HOME } = process.env;
  const env = { PATH, HOME, PYTHONPYCACHEPREFIX: environment.bytecode, ...JSON.parse(told.stdout) };
  const { stdout } = await run(program, [join(here, script), ...words, tools.url], { env });
  return JSON.parse(stdout);
}

test.each(['client.ts', 'client.py'])(
  'an approval that %s was asked for before the server was killed is good for one call after it',
  { timeout: 90_000 },
  async (script) => {
    const program = script.endsWith('.py') ? environment.python : process.execPath;
    const { response, approval } = await client(program, script, ['ask']);
    expect(tools.calls).toEqual([]);
    await server.kill();
    server = await startProcess(directory, { scripted: false });
    expect(await client(program, script, ['approve', String(response), String(approval)])).toEqual({
      types: ['mcp_call', 'message'],
      text: expect.stringContaining('It rains in Oslo.'),
      again: 409,
    });
    expect(tools.calls).toHaveLength(1);
  },
);
