import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ensureCertificates } from '../trust/certificates.ts';
import { listen } from './listener.ts';

test('idle connections of clients hold up no stop', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'bloomery-test-'));
  const { key, certificate } = await ensureCertificates(directory, []);
  const listener = await listen((_request, response) => response.end('ok'), {
    host: '127.0.0.1',
    port: 0,
    tls: { key, cert: certificate },
  });
  const agent = new Agent({ keepAlive: true });
  await new Promise<void>((resolve, reject) => {
    get({ port: listener.port, host: '127.0.0.1', agent }, (response) => {
      response.resume().on('end', resolve);
    }).on('error', reject);
  });
  // Cut after an hour at the latest: ending at all shows that idle connections were closed.
  await listener.close(3_600_000);
  agent.destroy();
  rmSync(directory, { recursive: true, force: true });
  expect(listener.port).toBeGreaterThan(0);
});
