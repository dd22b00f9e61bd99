import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { secretMark } from './format.ts';
import { recordedAnswer } from './recorded-answer.ts';
import { learnFrom, recordedRequest } from './recorded-request.ts';
import { Secrets } from './secrets.ts';
import { Unescaped } from './unescaped.ts';

const answer = (
  given: { text?: string; bytes?: Buffer; headers?: string[]; isCut?: boolean },
  secrets = new Secrets(),
) =>
  JSON.stringify(
    recordedAnswer(
      {
        ...{ status: 200, rawHeaders: given.headers ?? [], isWhole: given.isCut !== true },
        chunks: [{ after: 0, bytes: given.bytes ?? Buffer.from(given.text ?? '') }],
      },
      'https://upstream.example',
      secrets,
    ),
  );

describe('an answer that breaks off', () => {
  test('within a character is scrubbed like any other', () => {
    for (const type of [['content-type', 'text/event-stream'], []]) {
      const bytes = Buffer.from('data: {"password":"hunter2-LEAK"}\n\nü').subarray(0, -1);
      const { chunks } = JSON.parse(answer({ bytes, headers: type, isCut: true }));
      expect(Buffer.from(chunks[0][1].base64, 'base64').toString()).toMatch(
        /^data: \{"password":"__scrubbed__"\}/,
      );
    }
  });

  test.each([
    '{"a":1,"password":"LEAKhalf-hunter',
    'data: {"clientSecret":"LEAK\\',
    '{"arguments":"{\\"password\\":\\"LEAKhalf',
    '{"arguments":"{\\"password\\":\\"LEAKhalf\\',
    '-----BEGIN PRIVATE KEY-----\nLEAKMIIE',
  ])('within a secret keeps nothing of it: %s', (text) => {
    expect(answer({ text, isCut: true })).not.toContain('LEAK');
  });

  test('within the arguments of a call keeps nothing of their secrets', () => {
    const delta = (text: string) =>
      `data: ${JSON.stringify({ type: 'x.delta', item_id: 'i', delta: text })}\n\n`;
    const text = ['{"pass', 'word":"LE', 'AKhalf'].map(delta).join('');
    expect(answer({ text, isCut: true })).not.toMatch(/"LE|AKhalf/);
  });
});

describe('a secret that is known is found however it is spelled', () => {
  const key = 'a+b/c=d-0123456789';
  test.each([
    ['as it is', key],
    ['in JSON with escapes', key.replace('+', '\\u002B').replaceAll('/', '\\/')],
    ['in an address', encodeURIComponent(key)],
    ['in an address, in lower case', encodeURIComponent(key).replaceAll(/%../g, (hex) => hex.toLowerCase())],
    ['twice in an address', encodeURIComponent(encodeURIComponent(key))],
    ...[0, 1, 2].map((before) => [
      `in base64, ${before} behind`,
      Buffer.from(`${'x'.repeat(before)}${key}yz`).toString('base64'),
    ]),
  ])('%s', (_, spelled) => {
    const secrets = new Secrets();
    secrets.add(key);
    const text = `{"text":"it is ${spelled} there"}`;
    const written = secrets.scrubbed(text);
    expect(written).toContain(secretMark);
    expect(written).toMatch(/^\{"text":"it is .* there"\}$/);
    expect(written).not.toContain(spelled.slice(4, -6));
  });

  test('the password of a basic authorization, and of members of JSON what they say', () => {
    const secrets = new Secrets();
    learnFrom({ authorization: `Basic ${Buffer.from('me:hunter2-secret').toString('base64')}` }, secrets);
    expect(secrets.scrubbed('it is hunter2-secret.')).toBe(`it is ${secretMark}.`);
    expect(answer({ text: '{"api_key":"ab\\/cd\\u002Bef0123456789"}\nab/cd+ef0123456789' })).not.toContain(
      'ab/cd',
    );
  });

  test('however many others there are, those of clients stay known', () => {
    const secrets = new Secrets();
    secrets.add('client-Key-0123456789');
    const many = Array.from({ length: 5000 }, (_, i) => `{"api_key":"0123456789abcdef-${i}"}`).join('\n');
    expect(secrets.scrubbed(`${many}\nclient-Key-0123456789`)).not.toMatch(/client-Key|abcdef-4999/);
  });
});

test('what stands under `key` and may be a name is looked for nowhere else', () => {
  const secrets = new Secrets();
  secrets.scrubbed('{"filters":[{"key":"my-connection-name-1"}],"api_key":"0123456789abcdef0123"}');
  const path = '/connections/my-connection-name-1/0123456789abcdef0123';
  expect(secrets.scrubbed(path)).toBe(`/connections/my-connection-name-1/${secretMark}`);
});

test('parameters of addresses are looked for from then on', () => {
  const secrets = new Secrets();
  secrets.scrubbed('https://a/x?api-key=Ab0123456789%2Bcdefgh');
  expect(secrets.scrubbed('use Ab0123456789+cdefgh')).toBe(`use ${secretMark}`);
});

test('fields of forms are scrubbed by their names, and so are the names of files', async () => {
  const part = (head: string, text: string) =>
    `--b\r\nContent-Disposition: form-data; ${head}\r\n\r\n${text}\r\n`;
  const secrets = new Secrets();
  secrets.add('client-Key-0123456789');
  const body = `${part('name="api_key"', 'abc-LEAK')}${part('name="file"; filename="client-Key-0123456789.txt"', 'x')}--b--\r\n`;
  const asked = { method: 'POST', url: '/v1/files', rawHeaders: [], origin: 'http://127.0.0.1:1' };
  const headers = { 'content-type': 'multipart/form-data; boundary=b' };
  const request = await recordedRequest({ ...asked, headers, body: Buffer.from(body) }, secrets);
  expect(request.body).toMatchObject({
    form: [
      { name: 'api_key', content: secretMark },
      { name: 'file', filename: `${secretMark}.txt`, content: 'x' },
    ],
  });
});

test.each([
  '\ufeff{"password":"LEAK"}',
  '{"text":"so:\\n```json\\n{\\"password\\":\\"LEAK\\"}\\n```"}',
  '{"text":"so: {\\"password\\":\\"LEAK\\"} there"}',
  '{"url":"https://a/x?sv=1\\u0026sig\\u003dLEAK"}',
  'https://a/?to=https%253A%252F%252Fb%252F%253Fsig%253DLEAK%2526x',
  ...[
    'github_token',
    'bot_token',
    'hf_token',
    'slackToken',
    'passwords',
    'x-functions-key',
    'webhook_key',
  ].map((name) => `{"${name}":"LEAK"}`),
  '{"apiKeyValue":"LEAK"}',
  '{"passwords":["LEAK"]}',
  '{"tokens":{"slack":"LEAK"}}',
  '{"k":"LEAK","kty":"oct"}',
  '{"type":"ApiKey","key":"LEAK","value":"x"}',
  'https://a.azurewebsites.net/api/f?code=LEAK0123456789abcdef==',
  'https://s3/x?X-Amz-Signature=LEAK',
  `it is hf_LEAK${'a'.repeat(30)}`,
  `it is github_pat_LEAK${'a'.repeat(30)}`,
  'Server=a;Password = LEAK;x=1',
  '{"text":"run with\\nAPI_KEY=LEAK0123456789\\nhere"}',
])('is taken out of %s', (text) => {
  const written = answer({ text, headers: ['content-type', 'application/json'] });
  expect(written).not.toContain('LEAK');
  expect(written).toContain(secretMark);
});

test('headers of answers are judged as headers are', () => {
  const headers = [
    'x-custom-auth',
    'LEAK',
    'x-session-key-id',
    'LEAK',
    'x-ratelimit-remaining-tokens',
    'some',
  ];
  const { headers: written } = JSON.parse(answer({ headers }));
  expect(written.map(([, value]: string[]) => value)).toEqual([secretMark, secretMark, 'some']);
});

test.each([
  '{"continuation_token":"c","next_page_token":"d","eos_token":"</s>"}',
  '{"tokens":["Hello"," world"],"k":"5"}',
  '{"error":{"code":"not_found"},"text":"password = input()\\nclient = Client(api_key=api_key)"}',
  'https://a/x?code=404',
])('what only looks like one stays: %s', (text) => {
  expect(new Secrets().scrubbed(text)).toBe(text);
});

test.each(['openai', 'ollama', 'not-needed', 'test-key-1', 'secret'])(
  'a key that is a word alters nothing: %s',
  async (key) => {
    const secrets = new Secrets();
    learnFrom({ authorization: `Bearer ${key}` }, secrets);
    expect(secrets.scrubbed(`/openai/v1 with ${key}, secret`)).toBe(`/openai/v1 with ${key}, secret`);
  },
);

test('what is taken out of deltas is a stretch of each, however long they are', () => {
  const delta = (text: string) =>
    `data: ${JSON.stringify({ type: 'x.delta', item_id: 'i', delta: text })}\n\n`;
  const secrets = new Secrets();
  const known = 'Zq9-0123456789'.repeat(20);
  secrets.add(known);
  expect(secrets.in(delta(`\n${known.slice(0, 99)}`) + delta(`${known.slice(99)}\n`))).toHaveLength(2);
});

test('what is edited in an unescaped text is edited where it stands', () => {
  const piece = fc.oneof(fc.string(), fc.constantFrom('\\', '"', '%', '/', '\n', 'é'));
  fc.assert(
    fc.property(
      fc.array(piece).map((all) => all.join('')),
      fc.array(piece).map((all) => all.join('')),
      (a, b) => {
        const raw = (text: string) => JSON.stringify(text).slice(1, -1);
        const whole = Unescaped.ofJson(`${raw(a)}${raw('S"\\é')}${raw(b)}`);
        expect(whole.says).toBe(`${a}S"\\é${b}`);
        const [edit] = whole.inText([{ start: a.length, end: a.length + 4, text: '' }]);
        expect([edit?.start, edit?.end]).toEqual([raw(a).length, raw(a).length + raw('S"\\é').length]);
      },
    ),
  );
});
