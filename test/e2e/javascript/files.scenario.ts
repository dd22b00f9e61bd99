import { createHash } from 'node:crypto';
import { createReadStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toFile } from 'openai';
import { expect, test } from 'vitest';
import { collect, deployment, openai } from './clients.ts';

const megabytes = (count: number) => Buffer.alloc(count * 1_048_576, 'What is in it is text. ');

test('a file is uploaded from a stream, listed, read in whole and in part, and deleted', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'bloomery-scenario-'));
  const path = join(folder, 'large.txt');
  const content = megabytes(40);
  writeFileSync(path, content);
  const file = await openai.files.create({ file: createReadStream(path), purpose: 'user_data' });
  rmSync(folder, { recursive: true });
  expect(file).toMatchObject({ object: 'file', filename: 'large.txt', bytes: content.length });
  expect(await openai.files.waitForProcessing(file.id)).toMatchObject({ id: file.id, status: 'processed' });

  const small = await openai.files.create({
    file: await toFile(Buffer.from('{}\n'), 'one.jsonl'),
    purpose: 'batch',
  });
  expect(small.expires_at).toBe(small.created_at + 30 * 86_400);
  const listed = await collect(openai.files.list({ limit: 1 }));
  expect(listed.map(({ id }) => id).slice(0, 2)).toEqual([small.id, file.id]);
  expect((await collect(openai.files.list({ purpose: 'batch' }))).map(({ id }) => id)).toContain(small.id);

  const whole = await openai.files.content(file.id);
  expect(Buffer.from(await whole.arrayBuffer()).equals(content)).toBe(true);
  const part = await openai.files.content(file.id, { headers: { range: 'bytes=8-14' } });
  expect([part.status, await part.text()]).toEqual([206, content.subarray(8, 15).toString()]);

  for (const { id } of [file, small]) {
    expect(await openai.files.delete(id)).toEqual({ id, object: 'file', deleted: true });
    await expect(openai.files.retrieve(id)).rejects.toMatchObject({ status: 404 });
  }
});

test('a file is uploaded in parts that come together and out of order', async () => {
  const content = megabytes(30);
  const upload = await openai.uploads.create({
    filename: 'parts.txt',
    purpose: 'assistants',
    bytes: content.length,
    mime_type: 'text/plain',
  });
  const size = 4 * 1_048_576;
  const pieces = Array.from({ length: Math.ceil(content.length / size) }, (_, i) =>
    content.subarray(i * size, (i + 1) * size),
  );
  const parts = await Promise.all(
    pieces
      .toReversed()
      .map(async (piece) => openai.uploads.parts.create(upload.id, { data: await toFile(piece, 'part') })),
  );
  const done = await openai.uploads.complete(upload.id, {
    part_ids: parts.map(({ id }) => id).toReversed(),
    md5: createHash('md5').update(content).digest('hex'),
  });
  expect(done).toMatchObject({ status: 'completed', file: { filename: 'parts.txt', bytes: content.length } });
  const reply = await openai.files.content(done.file?.id ?? '');
  expect(Buffer.from(await reply.arrayBuffer()).equals(content)).toBe(true);
  const late = openai.uploads.parts.create(upload.id, { data: await toFile(Buffer.from('x'), 'part') });
  await expect(late).rejects.toMatchObject({ status: 400 });
});

test('a file is given to the model and to code', async () => {
  const file = await openai.files.create({
    file: await toFile(Buffer.from('1\n41\n'), 'numbers.csv'),
    purpose: 'user_data',
  });
  const read = await openai.responses.create({
    model: deployment,
    input: [{ role: 'user', content: [{ type: 'input_file', file_id: file.id }] }],
  });
  expect(read.output_text).toContain('numbers.csv');
  const code = 'print(sum(int(line) for line in open("/mnt/data/numbers.csv")))';
  const run = await openai.responses.create({
    model: deployment,
    input: `Please run this:\n\n\`\`\`python\n${code}\n\`\`\``,
    tools: [{ type: 'code_interpreter', container: { type: 'auto', file_ids: [file.id] } }],
    include: ['code_interpreter_call.outputs'],
  });
  expect(run.output[0]).toMatchObject({ outputs: [{ type: 'logs', logs: '42\n' }] });
});
