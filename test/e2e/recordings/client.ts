/** A program of a user: the official clients, found through the environment. Prints all that came over the wire. */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AIProjectClient } from '@azure/ai-projects';
import { DefaultAzureCredential } from '@azure/identity';
import OpenAI, { toFile } from 'openai';

const endpoint = process.env.FOUNDRY_PROJECT_ENDPOINT ?? '';
const { origin } = new URL(endpoint);
const seen: unknown[] = [];

/** Notes the bytes of each answer, as they came. */
const noting: typeof fetch = async (input, init) => {
  const response = await fetch(input, init);
  const bytes = Buffer.from(await response.clone().arrayBuffer());
  const text = bytes.toString().replaceAll(origin, 'ORIGIN');
  seen.push([response.status, createHash('sha256').update(text).digest('hex'), text]);
  return response;
};

const project = new AIProjectClient(endpoint, new DefaultAzureCredential());
const openai = new OpenAI({ fetch: noting, maxRetries: 0 });

const weather = {
  type: 'function' as const,
  name: 'get_weather',
  description: 'Get the current weather of a place.',
  strict: true,
  parameters: {
    type: 'object',
    properties: { location: { type: 'string', description: 'The city.' } },
    required: ['location'],
    additionalProperties: false,
  },
};
const agent = { type: 'agent_reference', name: 'traveller' };

async function converse(): Promise<void> {
  const definition = { kind: 'prompt' as const, model: 'builtin', tools: [weather] };
  seen.push(await project.agents.createVersion(agent.name, definition));
  const conversation = await openai.conversations.create({ metadata: { topic: 'weather' } });
  let input: OpenAI.Responses.ResponseInput = [{ role: 'user', content: 'How is the weather in Oslo?' }];
  for (let turn = 0; turn < 4 && input.length > 0; turn++) {
    const body = { conversation: conversation.id, input, stream: true as const, agent_reference: agent };
    const stream = await openai.responses.create(body);
    input = [];
    for await (const event of stream) {
      if (event.type !== 'response.completed') continue;
      for (const item of event.response.output) {
        if (item.type !== 'function_call') continue;
        input.push({
          type: 'function_call_output',
          call_id: item.call_id,
          output: 'Snow, and 3 degrees below.',
        });
      }
    }
  }
  seen.push(await Array.fromAsync(openai.conversations.items.list(conversation.id, { limit: 2 })));
}

async function keepFiles(): Promise<void> {
  const lines = [Buffer.from('first file\n'), Buffer.from([0, 159, 146, 150, 255])];
  for (const [i, content] of lines.entries()) {
    const file = await openai.files.create({ file: await toFile(content, `${i}.txt`), purpose: 'user_data' });
    const back = await openai.files.content(file.id);
    seen.push(Buffer.from(await back.arrayBuffer()).toString('base64'));
  }
  const folder = mkdtempSync(join(tmpdir(), 'bloomery-recordings-'));
  writeFileSync(join(folder, 'rows.csv'), 'a,b\n');
  const { dataUri } = await project.datasets.uploadFile('rows', '1', join(folder, 'rows.csv'));
  rmSync(folder, { recursive: true });
  seen.push(dataUri.replace(origin, 'ORIGIN'));
  seen.push((await Array.fromAsync(openai.files.list({ limit: 1 }))).map(({ filename }) => filename));
  seen.push((await Array.fromAsync(project.deployments.list())).map(({ name }) => name));
}

await converse();
await keepFiles();
if (process.argv.includes('--miss')) {
  await openai.responses
    .create({ model: 'builtin', input: 'Nobody has asked this.' })
    .catch(({ status }) => seen.push(status));
}
process.stdout.write(`${JSON.stringify(seen)}\n`);
