import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer, type Server as HttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Config, type DeploymentConfig, loadConfig } from '../config.ts';
import { lockDataDirectory } from '../storage/data-lock.ts';
import { certificateFiles, ensureCertificates } from '../trust/certificates.ts';
import type { RunFile } from '../trust/run-file.ts';
import { checkCertificates, checkDataDirectory, checkLock, checkSecrets } from './doctor-data.ts';
import { checkClock, checkNode, checkPort } from './doctor-machine.ts';
import { checkModels } from './doctor-models.ts';

const day = 86_400_000;
const host = '127.0.0.1';
let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'bloomery-test-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const runFile = (port: number): RunFile => ({
  pid: process.pid,
  port,
  endpoint: `https://localhost:${port}/api/projects/default`,
  identityEndpoint: '',
  identityHeader: '',
  apiKey: null,
  caFile: '',
  caBundleFile: '',
  deployments: [],
  startedAt: '',
});

async function listening(server: Server | HttpServer): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  return (server.address() as AddressInfo).port;
}

test('Node.js has to be new enough', () => {
  expect([checkNode('24.8.0').ok, checkNode('24.9.0').ok, checkNode('26.1.0').ok]).toEqual([
    false,
    true,
    true,
  ]);
});

describe('the data directory', () => {
  test('may be there or not yet, and is left as it was', () => {
    expect(checkDataDirectory(directory)).toMatchObject({ ok: true });
    expect(checkDataDirectory(join(directory, 'a', 'b'))).toMatchObject({ ok: true });
    expect(readdirSync(directory)).toEqual([]);
  });

  test('must be a directory', () => {
    const file = join(directory, 'file');
    writeFileSync(file, '');
    expect(checkDataDirectory(file)).toMatchObject({ ok: false, message: `${file} is not a directory` });
  });
});

test('the lock has to fit the run file', () => {
  expect(checkLock(directory, null)).toMatchObject({ ok: true, message: 'free' });
  expect(checkLock(directory, runFile(1))).toMatchObject({ ok: false });
  const lock = lockDataDirectory(directory);
  expect(checkLock(directory, runFile(1))).toMatchObject({ ok: true });
  expect(checkLock(directory, null)).toMatchObject({ ok: false });
  lock.release();
});

describe('certificates', () => {
  test('are made by the first start', () => {
    expect(checkCertificates(directory)).toMatchObject({
      ok: true,
      message: expect.stringContaining('none yet'),
    });
  });

  test('are looked at in full', async () => {
    const { expiresAt } = await ensureCertificates(directory, []);
    expect(checkCertificates(directory).message).toMatch(/^valid for 39\d more days, for .*localhost/);
    expect(checkCertificates(directory, expiresAt.getTime() + 2 * day)).toMatchObject({ ok: false });
    writeFileSync(certificateFiles(directory).certificateFile, 'garbage');
    expect(checkCertificates(directory)).toMatchObject({
      ok: false,
      fix: expect.stringContaining('Restart'),
    });
    writeFileSync(certificateFiles(directory).caKeyFile, 'garbage');
    expect(checkCertificates(directory)).toMatchObject({ ok: false, fix: expect.stringContaining('new CA') });
  });

  test('have keys that others cannot read', async () => {
    expect(checkSecrets(directory)).toEqual([]);
    await ensureCertificates(directory, []);
    expect(checkSecrets(directory)).toMatchObject([{ ok: true }]);
    const { keyFile } = certificateFiles(directory);
    chmodSync(keyFile, 0o644);
    expect(checkSecrets(directory)).toMatchObject([{ ok: false, fix: `chmod 600 ${keyFile}` }]);
  });
});

describe('the port', () => {
  test('is free, or taken by another program', async () => {
    const other = createServer((socket) => socket.destroy());
    const port = await listening(other);
    expect(await checkPort(directory, null, host, port)).toMatchObject({
      ok: false,
      message: 'in use by another program',
    });
    await new Promise((resolve) => other.close(resolve));
    expect(await checkPort(directory, null, host, port)).toMatchObject({ ok: true, message: 'free' });
  });

  test('answers with a certificate of the local CA', async () => {
    const { key, certificate } = await ensureCertificates(directory, []);
    const ours = createTlsServer({ key, cert: certificate });
    const port = await listening(ours);
    expect(await checkPort(directory, runFile(port), host, 1)).toMatchObject({
      ok: true,
      subject: `port ${port}`,
    });
    expect((await checkPort(directory, null, host, port)).message).toContain('server with our CA');
    ours.close();
  });

  test('of a running server must answer with the right certificate', async () => {
    const elsewhere = join(directory, 'elsewhere');
    mkdirSync(elsewhere);
    await ensureCertificates(directory, []);
    const { key, certificate } = await ensureCertificates(elsewhere, []);
    const theirs = createTlsServer({ key, cert: certificate });
    theirs.on('tlsClientError', () => {});
    const port = await listening(theirs);
    expect(await checkPort(directory, runFile(port), host, 1)).toMatchObject({ ok: false });
    theirs.close();
  });
});

test('the clock is compared with the CA and with model servers', async () => {
  await ensureCertificates(directory, []);
  expect(checkClock(directory, [Date.now() + 1000]).ok).toBe(true);
  expect(checkClock(directory, [Date.now() + 3_600_000])).toMatchObject({ ok: false });
  expect(checkClock(directory, [], Date.now() - day)).toMatchObject({ ok: false });
});

describe('model servers', () => {
  const configured = (...deployments: Partial<DeploymentConfig>[]): Config => ({
    ...loadConfig({ file: null, environment: {} }),
    deployments: deployments as DeploymentConfig[],
  });

  test('answer whatever they answer, and get no key', async () => {
    const seen: unknown[] = [];
    const upstream = createHttpServer((request, response) => {
      seen.push(request.headers.authorization, request.headers['api-key']);
      response.writeHead(404).end();
    });
    const baseUrl = `http://${host}:${await listening(upstream)}/v1`;
    const config = configured({ name: 'up', provider: 'openai-compatible', baseUrl, apiKey: 'sk-secret' });
    const { findings, remoteTimes } = await checkModels(config);
    expect(findings).toEqual([{ subject: 'model up', ok: true, message: `${baseUrl} answers`, fix: null }]);
    expect(remoteTimes).toHaveLength(1);
    expect(seen).toEqual([undefined, undefined]);
    upstream.close();
  });

  test('that do not answer are named', async () => {
    const config = configured(
      { name: 'down', provider: 'openai-compatible', baseUrl: `http://${host}:1/v1`, apiKey: 'sk-secret' },
      { name: 'builtin', provider: 'builtin' },
    );
    const { findings } = await checkModels(config);
    expect(findings).toMatchObject([{ subject: 'model down', ok: false }]);
    expect(JSON.stringify(findings)).not.toContain('sk-secret');
  });

  test('need not exist', async () => {
    expect((await checkModels(configured())).findings).toMatchObject([{ ok: true }]);
  });
});
