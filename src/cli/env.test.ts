import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { describe, expect, test } from 'vitest';
import { clientEnvironment, programEnvironment, type Reachable } from './client-environment.ts';
import { formatVariables } from './variable-formats.ts';

const server: Reachable = {
  endpoint: 'https://localhost:8600/api/projects/default',
  identityEndpoint: 'http://127.0.0.1:8600/msi/token',
  identityHeader: 'secret',
  apiKey: 'blm_key',
  caFile: '/data/trust/ca.pem',
  caBundleFile: '/data/trust/ca-bundle.pem',
  deployments: ['llama3', 'builtin'],
};

describe('the variables', () => {
  test('lead every client to the server', () => {
    expect(clientEnvironment(server, null)).toEqual({
      FOUNDRY_PROJECT_ENDPOINT: server.endpoint,
      AZURE_AI_PROJECT_ENDPOINT: server.endpoint,
      FOUNDRY_MODEL_NAME: 'llama3',
      AZURE_AI_MODEL_DEPLOYMENT_NAME: 'llama3',
      MODEL_DEPLOYMENT_NAME: 'llama3',
      FOUNDRY_PROJECT_API_KEY: 'blm_key',
      OPENAI_BASE_URL: 'https://localhost:8600/api/projects/default/openai/v1',
      OPENAI_API_KEY: 'blm_key',
      IDENTITY_ENDPOINT: 'http://127.0.0.1:8600/msi/token',
      IDENTITY_HEADER: 'secret',
      AZURE_TOKEN_CREDENTIALS: 'ManagedIdentityCredential',
      NODE_EXTRA_CA_CERTS: '/data/trust/ca.pem',
      SSL_CERT_FILE: '/data/trust/ca-bundle.pem',
      REQUESTS_CA_BUNDLE: '/data/trust/ca-bundle.pem',
    });
  });

  test('name the deployment asked for, if there is one', () => {
    expect(clientEnvironment(server, 'builtin').MODEL_DEPLOYMENT_NAME).toBe('builtin');
    expect(() => clientEnvironment(server, 'gpt')).toThrow(
      "no deployment 'gpt'. The server has llama3, builtin",
    );
  });

  test('leave out a key that nobody knows', () => {
    const variables = clientEnvironment({ ...server, apiKey: null }, null);
    expect(Object.keys(variables)).not.toContain('OPENAI_API_KEY');
    expect(Object.keys(variables)).not.toContain('FOUNDRY_PROJECT_API_KEY');
  });
});

describe('the environment of a program', () => {
  test('keeps loopback off the proxy, and what was there', () => {
    const inherited = { PATH: '/bin', no_proxy: 'corp.test, localhost', OPENAI_API_KEY: 'theirs' };
    expect(programEnvironment(inherited, { OPENAI_API_KEY: 'ours' })).toEqual({
      PATH: '/bin',
      OPENAI_API_KEY: 'ours',
      NO_PROXY: 'corp.test,localhost,127.0.0.1,::1',
      no_proxy: 'corp.test,localhost,127.0.0.1,::1',
    });
  });

  test("replaces curl's own bundle only where one is set", () => {
    const variables = { SSL_CERT_FILE: '/ours' };
    expect(programEnvironment({ CURL_CA_BUNDLE: '/theirs' }, variables).CURL_CA_BUNDLE).toBe('/ours');
    expect(programEnvironment({}, variables)).not.toHaveProperty('CURL_CA_BUNDLE');
  });
});

describe('the formats', () => {
  const nasty = {
    PLAIN: '/data/ca.pem',
    QUOTES: `it's "quoted"`,
    SHELL: '$HOME `id` $(id) \\ ! * ;&|<>#~',
    SPACES: '  two  spaces ',
    LINES: 'one\ntwo',
    EMPTY: '',
  };

  test('shell survives a real shell', () => {
    const print = Object.keys(nasty)
      .map((name) => `printf '%s\\0' "$${name}"`)
      .join('\n');
    const output = execFileSync('sh', ['-c', `${formatVariables(nasty, 'shell')}${print}`], {
      encoding: 'utf8',
    });
    expect(output.split('\0').slice(0, -1)).toEqual(Object.values(nasty));
  });

  test('shell survives `eval "$(…)"`', () => {
    const directory = mkdtempSync(join(tmpdir(), 'bloomery-test-'));
    writeFileSync(join(directory, 'variables'), formatVariables(nasty, 'shell'));
    const script = `eval "$(cat variables)"; printf '%s' "$SHELL"; env | grep -c '^QUOTES='`;
    const output = execFileSync('sh', ['-c', script], { encoding: 'utf8', cwd: directory });
    expect(output).toBe(`${nasty.SHELL}1\n`);
    rmSync(directory, { recursive: true });
  });

  test('json is JSON', () => {
    expect(JSON.parse(formatVariables(nasty, 'json'))).toEqual(nasty);
  });

  test('dotenv is bare where possible, and read back by Node', () => {
    const { QUOTES: _, ...readable } = nasty;
    expect(parseEnv(formatVariables(readable, 'dotenv'))).toEqual(readable);
    expect(formatVariables({ A: '/data/ca.pem' }, 'dotenv')).toBe('A=/data/ca.pem\n');
    expect(formatVariables({ A: `it's "$x"` }, 'dotenv')).toBe('A="it\'s \\"\\$x\\""\n');
  });

  test('powershell doubles single quotes, the typographic ones too', () => {
    expect(formatVariables({ A: "it's ’$x`" }, 'powershell')).toBe("$env:A = 'it''s ’’$x`'\n");
  });
});
