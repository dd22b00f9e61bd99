import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createServer, type Server } from 'node:tls';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Certificates, certificateFiles, ensureCertificates } from './certificates.ts';

const run = promisify(execFile);
const day = 86_400_000;
let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'bloomery-test-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

async function listen({ key, certificate }: Certificates): Promise<{ server: Server; port: number }> {
  const server = createServer({ key, cert: certificate }, (socket) => socket.end('hello'));
  server.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, port: (server.address() as AddressInfo).port };
}

const handshake = (port: number, ca: string, servername: string): Promise<boolean> =>
  new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', ca: [ca], servername }, () => {
      socket.destroy();
      resolve(socket.authorized);
    });
    socket.on('error', reject);
  });

const strictPython = `
import socket, ssl, sys
context = ssl.create_default_context(cafile=sys.argv[1])
context.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
for name in sys.argv[3:]:
    with socket.create_connection(("127.0.0.1", int(sys.argv[2]))) as plain:
        with context.wrap_socket(plain, server_hostname=name) as secured:
            print(secured.recv(5).decode())
`;

describe('a real handshake', () => {
  test('succeeds in Node with nothing but the CA', async () => {
    const certificates = await ensureCertificates(directory, ['models.example.test', '10.1.2.3']);
    const { server, port } = await listen(certificates);
    expect(await handshake(port, certificates.ca, 'localhost')).toBe(true);
    expect(await handshake(port, certificates.ca, 'models.example.test')).toBe(true);
    await expect(handshake(port, certificates.ca, 'other.example.test')).rejects.toThrow(/altnames/);
    server.close();
  });

  test.each(['caFile', 'caBundleFile'] as const)('succeeds in strict Python with %s', async (file) => {
    const certificates = await ensureCertificates(directory, []);
    const { server, port } = await listen(certificates);
    const names = ['localhost', '127.0.0.1', '::1'];
    const { stdout } = await run('python3', ['-c', strictPython, certificates[file], String(port), ...names]);
    expect(stdout.trim().split('\n')).toEqual(['hello', 'hello', 'hello']);
    server.close();
  });

  test('satisfies `openssl verify -x509_strict`', async () => {
    const { caFile } = await ensureCertificates(directory, []);
    const { certificateFile } = certificateFiles(directory);
    const { stdout } = await run('openssl', [
      'verify',
      '-x509_strict',
      '-purpose',
      'sslserver',
      '-CAfile',
      caFile,
      certificateFile,
    ]);
    expect(stdout).toContain(': OK');
  });
});

describe('the certificate', () => {
  test('names loopback and what is configured, each once', async () => {
    const names = ['Models.Example.test', '127.0.0.1', '0:0:0:0:0:0:0:1', '0.0.0.0', '*.example.test'];
    const { certificate } = await ensureCertificates(directory, names);
    const { subjectAltName } = new X509Certificate(certificate);
    expect(subjectAltName?.split(', ').sort()).toEqual([
      'DNS:*.example.test',
      'DNS:localhost',
      'DNS:models.example.test',
      'IP Address:0:0:0:0:0:0:0:1',
      'IP Address:127.0.0.1',
    ]);
  });

  test('is valid for 397 days at most, the CA for about ten years', async () => {
    const { certificate, ca, expiresAt } = await ensureCertificates(directory, []);
    const leaf = new X509Certificate(certificate);
    expect(leaf.validToDate.getTime() - leaf.validFromDate.getTime()).toBeLessThanOrEqual(397 * day);
    expect(leaf.validToDate).toEqual(expiresAt);
    expect(leaf.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
    expect(new X509Certificate(ca).validToDate.getTime()).toBeGreaterThan(Date.now() + 3640 * day);
  });

  test('refuses names that are none', async () => {
    await expect(ensureCertificates(directory, ['not a name'])).rejects.toThrow("'not a name' is neither");
  });
});

describe('the files', () => {
  test('keep keys from others', async () => {
    await ensureCertificates(directory, []);
    const { caKeyFile, keyFile, caFile } = certificateFiles(directory);
    const mode = (path: string) => statSync(path).mode & 0o777;
    expect([mode(caKeyFile), mode(keyFile), mode(join(directory, 'trust'))]).toEqual([0o600, 0o600, 0o700]);
    expect(mode(caFile)).toBe(0o644);
  });

  test('stay as they are on the next start', async () => {
    const first = await ensureCertificates(directory, ['a.test']);
    const written = statSync(first.caBundleFile).mtimeMs;
    expect(await ensureCertificates(directory, ['a.test'])).toEqual(first);
    expect(statSync(first.caBundleFile).mtimeMs).toBe(written);
  });

  test('bundle the system roots with the CA', async () => {
    const { caBundleFile, ca } = await ensureCertificates(directory, []);
    const bundle = readFileSync(caBundleFile, 'utf8');
    expect(bundle.match(/BEGIN CERTIFICATE/g)?.length).toBeGreaterThan(50);
    expect(bundle.trimEnd().endsWith(ca.trimEnd())).toBe(true);
  });
});

describe('renewal', () => {
  test('replaces the leaf within 30 days of its end, under the same CA', async () => {
    const first = await ensureCertificates(directory, []);
    const early = await ensureCertificates(directory, [], first.expiresAt.getTime() - 31 * day);
    expect(early.certificate).toBe(first.certificate);
    const late = await ensureCertificates(directory, [], first.expiresAt.getTime() - 29 * day);
    expect(late.certificate).not.toBe(first.certificate);
    expect(late.ca).toBe(first.ca);
    expect(late.expiresAt.getTime()).toBeGreaterThan(first.expiresAt.getTime() + 300 * day);
  });

  test('follows the configured names', async () => {
    const first = await ensureCertificates(directory, ['a.test']);
    const second = await ensureCertificates(directory, ['b.test']);
    expect(second.certificate).not.toBe(first.certificate);
    expect(new X509Certificate(second.certificate).subjectAltName).not.toContain('a.test');
  });

  test('never lets the leaf outlive the CA, and replaces that too', async () => {
    const first = await ensureCertificates(directory, []);
    const end = new X509Certificate(first.ca).validToDate.getTime();
    const near = await ensureCertificates(directory, [], end - 60 * day);
    expect([near.ca, near.expiresAt.getTime()]).toEqual([first.ca, end]);
    const after = await ensureCertificates(directory, [], end - 20 * day);
    expect(after.ca).not.toBe(first.ca);
  });
});

describe('damage', () => {
  test('to the leaf is repaired', async () => {
    const first = await ensureCertificates(directory, []);
    const { certificateFile, keyFile } = certificateFiles(directory);
    writeFileSync(certificateFile, 'garbage');
    const second = await ensureCertificates(directory, []);
    expect(second.ca).toBe(first.ca);
    unlinkSync(keyFile);
    const third = await ensureCertificates(directory, []);
    expect(new X509Certificate(third.certificate).verify(new X509Certificate(first.ca).publicKey)).toBe(true);
  });

  test.each(['caFile', 'caKeyFile'] as const)(
    'to %s is reported with the file and the remedy',
    async (file) => {
      await ensureCertificates(directory, []);
      const path = certificateFiles(directory)[file];
      writeFileSync(path, 'garbage');
      await expect(ensureCertificates(directory, [])).rejects.toThrow(`${path} is damaged`);
      await expect(ensureCertificates(directory, [])).rejects.toThrow('or delete');
    },
  );

  test('a CA without its key is reported, a key without its CA is an interrupted start', async () => {
    await ensureCertificates(directory, []);
    const { caFile, caKeyFile } = certificateFiles(directory);
    unlinkSync(caFile);
    await ensureCertificates(directory, []);
    unlinkSync(caKeyFile);
    await expect(ensureCertificates(directory, [])).rejects.toThrow(`${caKeyFile} is missing`);
  });
});
