import { toFile } from 'openai';
import { expect, test } from 'vitest';
import { collect, deployment, freshName, openai } from './clients.ts';

test('a container with a file, and a response that runs code in it', async () => {
  const name = freshName('container');
  const container = await openai.containers.create({
    name,
    expires_after: { anchor: 'last_active_at', minutes: 5 },
  });
  expect(container).toMatchObject({ object: 'container', name, status: 'active' });
  expect(await openai.containers.retrieve(container.id)).toEqual(container);

  const given = await openai.containers.files.create(container.id, {
    file: await toFile(Buffer.from('1\n2\n39\n'), 'numbers.txt'),
  });
  expect(given).toMatchObject({ path: '/mnt/data/numbers.txt', bytes: 7, source: 'user' });

  const code = [
    'total = sum(int(line) for line in open("/mnt/data/numbers.txt"))',
    'open("/mnt/data/total.txt", "w").write(str(total))',
    'print("total:", total)',
  ].join('\n');
  const response = await openai.responses.create({
    model: deployment,
    input: `Please run this:\n\n\`\`\`python\n${code}\n\`\`\``,
    tools: [{ type: 'code_interpreter', container: container.id }],
    include: ['code_interpreter_call.outputs'],
  });
  expect(response.output[0]).toMatchObject({
    type: 'code_interpreter_call',
    container_id: container.id,
    code,
    status: 'completed',
    outputs: [{ type: 'logs', logs: 'total: 42\n' }],
  });
  const message = response.output.find((item) => item.type === 'message');
  const [part] = message?.content ?? [];
  const citation = part?.type === 'output_text' ? part.annotations[0] : undefined;
  if (citation?.type !== 'container_file_citation') throw new Error('no file is cited');

  const content = await openai.containers.files.content.retrieve(citation.file_id, {
    container_id: citation.container_id,
  });
  expect([citation.filename, await content.text()]).toEqual(['total.txt', '42']);
  const files = await collect(openai.containers.files.list(container.id));
  expect(files.map(({ path }) => path).sort()).toEqual(['/mnt/data/numbers.txt', '/mnt/data/total.txt']);
  await openai.containers.files.delete(given.id, { container_id: container.id });
  await openai.containers.delete(container.id);
  await expect(openai.containers.retrieve(container.id)).rejects.toMatchObject({ status: 404 });
});

test('the next response goes on with the variables of the one before', async () => {
  const tools = [{ type: 'code_interpreter' as const, container: { type: 'auto' as const } }];
  const first = await openai.responses.create({
    model: deployment,
    input: 'Use the code interpreter to run: x = 6 * 7',
    tools,
  });
  const stream = openai.responses.stream({
    model: deployment,
    input: 'Use the code interpreter to run: print(x)',
    tools,
    previous_response_id: first.id,
  });
  const types = (await Array.fromAsync(stream)).map(({ type }) => type);
  expect(types).toContain('response.code_interpreter_call.interpreting');
  expect((await stream.finalResponse()).output_text).toContain('42');
});
