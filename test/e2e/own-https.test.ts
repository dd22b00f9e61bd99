import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

const entry = join(import.meta.dirname, '../../bin/bloomery.js');

let directory: string;
let server: ChildProcess;
let endpoint: string;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'bloomery-test-'));
  writeFileSync(
    join(directory, 'scenarios.yaml'),
    'scenarios:\n' +
      '  - when: { tool_output: true }\n    reply: { text: "done" }\n' +
      '  - when: { input: look }\n    reply: { tool_calls: [{ name: own_listDeployments, arguments: { api-version: v1 } }] }\n',
  );
  writeFileSync(join(directory, 'bloomery.yaml'), 'discovery: false\nscenarios: [scenarios.yaml]\n');
  server = spawn(
    process.execPath,
    [entry, 'serve', '--json', '--port', '0', '--api-key', 'key', '--log-level', 'error'],
    { cwd: directory, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const [line] = await once(server.stdout as NonNullable<ChildProcess['stdout']>, 'data');
  endpoint = JSON.parse(String(line)).endpoint;
});
afterEach(() => {
  server.kill('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
});

test('an agent calls the server it lives on, over TLS and with its identity', async () => {
  const spec = {
    openapi: '3.0.0',
    info: { title: 'Own', version: '1' },
    servers: [{ url: endpoint.replace('localhost', '127.0.0.1') }],
    paths: {
      '/deployments': {
        get: {
          operationId: 'listDeployments',
          parameters: [
            { name: 'api-version', in: 'query', required: true, schema: { type: 'string', enum: ['v1'] } },
          ],
          responses: { 200: { description: 'ok' } },
        },
      },
    },
  };
  const auth = { type: 'managed_identity', security_scheme: { audience: 'https://ai.azure.com' } };
  const response = await fetch(`${endpoint.replace('https:', 'http:')}/openai/v1/responses`, {
    method: 'POST',
    headers: { 'api-key': 'key', 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'builtin',
      input: 'look',
      tools: [{ type: 'openapi', openapi: { name: 'own', spec, auth } }],
    }),
  });
  const { output } = (await response.json()) as { output: object[] };
  expect(JSON.stringify(output)).toContain('builtin');
  expect(JSON.stringify(output)).not.toContain('UNABLE_TO_VERIFY');
});
