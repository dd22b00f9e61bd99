import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocketServer } from 'ws';
import { ensureCertificates } from '../../trust/certificates.ts';
import { createOutbound, type Lookup } from './create-outbound.ts';

const addresses = (...all: string[]): Awaited<ReturnType<Lookup>> =>
  all.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));

/** Names that lead where their test says; nothing is asked of a real name server. */
const lookup: Lookup = async (host) => {
  const known: Record<string, string[]> = {
    'public.test': ['93.184.216.34'],
    'inner.test': ['10.1.2.3'],
    localhost: ['::1', '127.0.0.1'],
    'mixed.test': ['93.184.216.34', '127.0.0.1'],
    'mapped.test': ['::ffff:169.254.169.254'],
    'metadata.google.internal': ['169.254.169.254'],
  };
  const found = known[host];
  if (found === undefined) throw Object.assign(new Error('unknown'), { code: 'ENOTFOUND' });
  return addresses(...found);
};

const strict = createOutbound({ allowLoopback: false, allow: [] }, { lookup });
const check = (url: string, outbound = strict) => outbound.check(url, 'url');
const refusal = { code: 'address_not_allowed', status: 400, target: 'url' };

describe('addresses that tools may not reach', () => {
  test.each([
    ['loopback', 'http://127.0.0.1/'],
    ['loopback elsewhere', 'http://127.8.9.10:8080/x'],
    ['loopback in decimal', 'http://2130706433/'],
    ['loopback in octal', 'http://0177.0.0.1/'],
    ['loopback in hexadecimal', 'http://0x7f.0.0.1/'],
    ['loopback as one hexadecimal number', 'http://0x7f000001/'],
    ['loopback of two parts', 'http://127.1/'],
    ['loopback with a dot behind', 'http://127.0.0.1./'],
    ['loopback in full-width digits', 'http://１２７.０.０.１/'],
    ['loopback in circled digits', 'http://①②⑦.⓪.⓪.①/'],
    ['loopback with ideographic dots', 'http://127。0。0。1/'],
    ['loopback percent-encoded', 'http://%31%32%37.0.0.1/'],
    ['loopback by name', 'http://localhost/'],
    ['loopback by name with a dot behind', 'http://localhost./'],
    ['loopback by name in capitals', 'http://LOCALHOST/'],
    ['loopback of IPv6', 'http://[::1]/'],
    ['loopback of IPv6 in full', 'http://[0:0:0:0:0:0:0:1]/'],
    ['loopback mapped', 'http://[::ffff:127.0.0.1]/'],
    ['loopback mapped in hexadecimal', 'http://[::ffff:7f00:1]/'],
    ['loopback compatible', 'http://[::127.0.0.1]/'],
    ['loopback by NAT64', 'http://[64:ff9b::127.0.0.1]/'],
    ['loopback by local NAT64', 'http://[64:ff9b:1::7f00:1]/'],
    ['loopback by 6to4', 'http://[2002:7f00:1::]/'],
    ['loopback translated', 'http://[::ffff:0:127.0.0.1]/'],
    ['loopback by Teredo', 'http://[2001:0:4136:e378:8000:63bf:80ff:fffe]/'],
    ['unspecified', 'http://0.0.0.0/'],
    ['unspecified as a number', 'http://0/'],
    ['unspecified of IPv6', 'http://[::]/'],
    ['link-local', 'http://169.254.1.1/'],
    ['link-local of IPv6', 'http://[fe80::1]/'],
    ['site-local of IPv6', 'http://[fec0::1]/'],
    ['metadata', 'http://169.254.169.254/latest/meta-data'],
    ['metadata in decimal', 'http://2852039166/'],
    ['metadata in hexadecimal', 'http://0xa9fea9fe/'],
    ['metadata in octal', 'http://0251.0376.0251.0376/'],
    ['metadata mapped', 'http://[::ffff:a9fe:a9fe]/'],
    ['metadata by NAT64', 'http://[64:ff9b::a9fe:a9fe]/'],
    ['metadata by 6to4', 'http://[2002:a9fe:a9fe::1]/'],
    ['metadata of EC2 by IPv6', 'http://[fd00:ec2::254]/'],
    ['metadata of Google by IPv6', 'http://[fd20:ce::254]/'],
    ['metadata of Alibaba', 'http://100.100.100.200/'],
    ['metadata of Azure', 'http://168.63.129.16/'],
    ['metadata by name', 'http://metadata.google.internal/computeMetadata/v1/'],
    ['metadata mapped, by name', 'http://mapped.test/'],
    ['multicast', 'http://224.0.0.1/'],
    ['multicast of IPv6', 'http://[ff02::1]/'],
    ['broadcast', 'http://255.255.255.255/'],
    ['reserved', 'http://240.0.0.1/'],
    ['documentation', 'http://192.0.2.1/'],
    ['documentation of IPv6', 'http://[2001:db8::1]/'],
    ['discard of IPv6', 'http://[100::1]/'],
    ['a name with one bad address of two', 'http://mixed.test/'],
    ['a file', 'file:///etc/passwd'],
    ['another scheme', 'gopher://public.test/'],
    ['a user in the URL', 'http://user@public.test/'],
    ['a password in the URL', 'http://:secret@public.test/'],
  ])('%s', async (_, url) => {
    await expect(check(url)).rejects.toMatchObject(refusal);
    await expect(strict.fetch(url)).rejects.toMatchObject({ code: 'address_not_allowed' });
  });

  test('no message says the password of a URL', async () => {
    await expect(check('http://user:secret@public.test/')).rejects.not.toThrow('secret');
  });

  test.each(['', 'http://', 'public.test/x', 'http://[::1', 'http://127.0.0.256/'])(
    '%j is no URL',
    async (url) => {
      await expect(check(url)).rejects.toMatchObject({ code: 'invalid_payload', target: 'url' });
    },
  );

  test('loopback in any number that says it', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0x7f000000, max: 0x7fffffff }),
        fc.constantFrom(
          (n: number) => `${n}`,
          (n: number) => `0x${n.toString(16)}`,
          (n: number) => `0${n.toString(8)}`,
          (n: number) => `[::ffff:${(n >>> 16).toString(16)}:${(n & 0xffff).toString(16)}]`,
          (n: number) => `[64:ff9b::${(n >>> 16).toString(16)}:${(n & 0xffff).toString(16)}]`,
          (n: number) => `[2002:${(n >>> 16).toString(16)}:${(n & 0xffff).toString(16)}::1]`,
        ),
        async (address, spell) => {
          await expect(check(`http://${spell(address)}/`)).rejects.toMatchObject(refusal);
        },
      ),
    );
  });
});

describe('addresses that they may', () => {
  test.each([
    'https://public.test/mcp',
    'http://inner.test:8080/',
    'http://10.0.0.1/',
    'http://172.16.0.1/',
    'http://192.168.1.1/',
    'http://100.64.0.1/',
    'http://[fd12:3456::1]/',
    'http://[2606:4700::1111]/',
    'http://[64:ff9b::8.8.8.8]/',
    'http://nowhere.test/',
  ])('%s', async (url) => {
    await expect(check(url)).resolves.toBeUndefined();
  });

  test('loopback, where the policy says so, and nothing else by it', async () => {
    const local = createOutbound({ allowLoopback: true, allow: [] }, { lookup });
    for (const url of [
      'http://127.0.0.1:9/',
      'http://localhost/',
      'http://[::1]/',
      'http://[::ffff:127.0.0.1]/',
    ])
      await expect(check(url, local)).resolves.toBeUndefined();
    for (const url of ['http://0.0.0.0/', 'http://169.254.169.254/', 'http://metadata.google.internal/'])
      await expect(check(url, local)).rejects.toMatchObject(refusal);
  });

  test('what is listed: hosts, addresses and networks', async () => {
    const listed = createOutbound(
      { allowLoopback: false, allow: ['LocalHost', '169.254.7.7', 'fe80::/16', '127.0.0.64/26'] },
      { lookup },
    );
    const open = ['http://localhost./', 'http://169.254.7.7/', 'http://[fe80::1]/', 'http://127.0.0.65/'];
    for (const url of [...open, 'http://[::ffff:127.0.0.66]/'])
      await expect(check(url, listed)).resolves.toBeUndefined();
    for (const url of ['http://127.0.0.1/', 'http://mixed.test/', 'http://[::1]/', 'http://169.254.7.8/'])
      await expect(check(url, listed)).rejects.toMatchObject(refusal);
  });

  test.each(['10.0.0.0/33', 'x/8', 'fd00::/129', '10.0.0.0/8/8', 'http://a', 'a b', '2130706433', ''])(
    '%j can’t be listed',
    (entry) => {
      expect(() => createOutbound({ allowLoopback: false, allow: [entry] })).toThrow(`'${entry}'`);
    },
  );
});

describe('a call', () => {
  let server: Server;
  let origin: string;
  let port: number;
  const seen: { url: string; method: string; headers: IncomingHttpHeaders; body: string }[] = [];
  beforeAll(async () => {
    server = createServer(async (request, reply) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      const { url = '', method = '', headers } = request;
      seen.push({ url, method, headers, body });
      const to = new URL(url, 'http://x').searchParams;
      const status = Number(to.get('status') ?? 200);
      reply.writeHead(status, to.has('to') ? { location: to.get('to') ?? '' } : {}).end(`at ${url}`);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    ({ port } = server.address() as AddressInfo);
    origin = `http://127.0.0.1:${port}`;
  });
  afterAll(() => server.close());

  const here: Lookup = async () => addresses('127.0.0.1');
  const local = createOutbound({ allowLoopback: true, allow: [] }, { lookup: here });
  const redirect = (to: string, status = 302) => `${origin}/?status=${status}&to=${encodeURIComponent(to)}`;

  test('goes where its name leads, with what it was given', async () => {
    const response = await local.fetch(`http://service.test:${port}/x`, {
      method: 'POST',
      headers: { 'x-key': 'k' },
      body: '{}',
    });
    expect([response.status, await response.text()]).toEqual([200, 'at /x']);
    expect(seen.at(-1)).toMatchObject({
      method: 'POST',
      body: '{}',
      headers: { host: `service.test:${port}`, 'x-key': 'k' },
    });
  });

  test('takes every kind of body', async () => {
    const form = new FormData();
    form.set('a', '1');
    for (const body of [form, new URLSearchParams({ a: '1' }), new Blob(['a']), Buffer.from('a')]) {
      await local.fetch(`${origin}/`, { method: 'PUT', body });
      expect(seen.at(-1)?.body).toContain('a');
    }
  });

  test('a name that is asked again and leads to loopback then is not called', async () => {
    const answers = [addresses('93.184.216.34'), addresses('127.0.0.1')];
    const rebinding = createOutbound(
      { allowLoopback: false, allow: [] },
      { lookup: async () => answers.shift() ?? addresses('127.0.0.1') },
    );
    const url = `http://rebinding.test:${port}/`;
    const before = seen.length;
    await expect(check(url, rebinding)).resolves.toBeUndefined();
    await expect(rebinding.fetch(url)).rejects.toMatchObject({ code: 'address_not_allowed' });
    await expect(rebinding.fetch(url)).rejects.toMatchObject({ code: 'address_not_allowed' });
    expect(seen).toHaveLength(before);
  });

  test('a connection goes to the address that was checked, not to one of a second answer', async () => {
    let asked = 0;
    const counting = createOutbound(
      { allowLoopback: true, allow: [] },
      { lookup: async () => (asked++ === 0 ? addresses('127.0.0.1') : addresses('169.254.169.254')) },
    );
    expect((await counting.fetch(`http://once.test:${port}/`)).status).toBe(200);
    expect(asked).toBe(1);
  });

  test.each([
    'http://169.254.169.254/latest/meta-data',
    'http://[::ffff:a9fe:a9fe]/',
    'http://0/',
    'file:///etc/passwd',
    'http://user:pass@127.0.0.1/',
  ])('is not redirected to %s', async (to) => {
    await expect(local.fetch(redirect(to))).rejects.toMatchObject({ code: 'address_not_allowed' });
  });

  test('is not redirected to a name that leads inside', async () => {
    const names: Lookup = async (host) => addresses(host === 'evil.test' ? '169.254.169.254' : '127.0.0.1');
    const outbound = createOutbound({ allowLoopback: true, allow: [] }, { lookup: names });
    await expect(outbound.fetch(redirect('http://evil.test/'))).rejects.toMatchObject({
      code: 'address_not_allowed',
    });
  });

  test('follows five redirects and no sixth', async () => {
    const chain = (length: number): string => (length === 0 ? `${origin}/end` : redirect(chain(length - 1)));
    expect(await (await local.fetch(chain(5))).text()).toBe('at /end');
    await expect(local.fetch(chain(6))).rejects.toThrow('redirects more than 5 times');
  });

  const credentials = { authorization: 'Bearer s', cookie: 'c=1', 'x-api-key': 'k', 'mcp-session-id': 'i' };
  test('keeps its credentials on the same origin only', async () => {
    await local.fetch(redirect('/same'), { headers: credentials });
    expect(seen.at(-1)).toMatchObject({ url: '/same', headers: credentials });
    await local.fetch(redirect(`http://other.test:${port}/other`), {
      headers: { ...credentials, accept: 'text/plain' },
    });
    const { headers, url } = seen.at(-1) ?? { headers: {} };
    expect([url, headers.accept]).toEqual(['/other', 'text/plain']);
    for (const name of Object.keys(credentials)) expect(headers).not.toHaveProperty(name);
    // Nor do they come back on the way home.
    await local.fetch(
      redirect(`http://other.test:${port}/?status=302&to=${encodeURIComponent(`${origin}/home`)}`),
      {
        headers: credentials,
      },
    );
    expect(seen.at(-1)?.headers).not.toHaveProperty('authorization');
  });

  test.each([
    [301, 'GET', ''],
    [302, 'GET', ''],
    [303, 'GET', ''],
    [307, 'POST', 'text'],
    [308, 'POST', 'text'],
  ])('after a %s a POST goes on as %s', async (status, method, body) => {
    await local.fetch(redirect('/next', status), { method: 'POST', body: 'text' });
    expect(seen.at(-1)).toMatchObject({ url: '/next', method, body });
  });

  test('leaves redirects alone where it is told to', async () => {
    const response = await local.fetch(redirect('http://169.254.169.254/'), { redirect: 'manual' });
    expect([response.status, response.headers.get('location')]).toEqual([302, 'http://169.254.169.254/']);
    await expect(local.fetch(redirect('/next'), { redirect: 'error' })).rejects.toThrow(TypeError);
  });

  test('ends with its signal', async () => {
    const control = new AbortController();
    control.abort(new Error('enough'));
    await expect(local.fetch(`${origin}/`, { signal: control.signal })).rejects.toThrow('enough');
  });

  test('a server that can’t be reached is told by its cause', async () => {
    const gone = createOutbound({ allowLoopback: true, allow: [] }, { lookup });
    await expect(gone.fetch('http://nowhere.test/')).rejects.toMatchObject({ cause: { code: 'ENOTFOUND' } });
  });
});

describe('a host that another stands in for', () => {
  let standIn: Server;
  let origin = '';
  beforeAll(async () => {
    standIn = createServer((request, reply) => {
      if (request.url === '/away') reply.writeHead(302, { location: 'http://localhost/' }).end();
      else reply.end(`stand-in ${request.url}`);
    });
    await new Promise<void>((resolve) => standIn.listen(0, '127.0.0.1', resolve));
    origin = `http://127.0.0.1:${(standIn.address() as AddressInfo).port}`;
  });
  afterAll(() => standIn.close());
  const outbound = () =>
    createOutbound({ allowLoopback: false, allow: [], hosts: { 'Api.example.com': origin } }, { lookup });

  test('is asked there, whatever the rules for others', async () => {
    await outbound().check('https://api.example.com/a', 'url');
    const answer = await outbound().fetch('https://api.example.com:8443/a?b=1');
    expect(await answer.text()).toBe('stand-in /a?b=1');
  });

  test('opens nothing else: neither its address nor where it leads', async () => {
    await expect(outbound().fetch(origin)).rejects.toMatchObject({ code: 'address_not_allowed' });
    await expect(outbound().fetch('http://api.example.com/away')).rejects.toMatchObject({
      code: 'address_not_allowed',
    });
  });
});

test('the authority of this server is trusted at its own names and port, and nowhere else', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'bloomery-test-'));
  const { key, certificate: cert, ca } = await ensureCertificates(directory, ['box.test', 'other.test']);
  const serve = async () => {
    const server = createTlsServer({ key, cert }, (_, reply) => reply.end('here'));
    new WebSocketServer({ server });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return { server, port: (server.address() as AddressInfo).port };
  };
  const [own, other] = await Promise.all([serve(), serve()]);
  const names = ['Box.test'];
  const outbound = createOutbound(
    { allowLoopback: true, allow: [] },
    { lookup: async () => addresses('127.0.0.1'), own: { names, port: () => own.port, ca } },
  );
  const limits = { mostBytes: 1000, signal: new AbortController().signal };
  for (const host of ['127.0.0.1', 'localhost', 'box.test', 'BOX.test.']) {
    const place = `${host}:${own.port}`;
    expect(await (await outbound.fetch(`https://${place}/`)).text(), host).toBe('here');
  }
  (await outbound.webSocket(`wss://localhost:${own.port}/`, limits)).terminate();
  for (const place of [`127.0.0.1:${other.port}`, `box.test:${other.port}`, `other.test:${own.port}`]) {
    const cause = { code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' };
    await expect(outbound.fetch(`https://${place}/`), place).rejects.toMatchObject({ cause });
    await expect(outbound.webSocket(`wss://${place}/`, limits)).rejects.toMatchObject(cause);
  }
  const closed = [own, other].map(({ server }) => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  await Promise.all(closed);
  rmSync(directory, { recursive: true, force: true });
});
