/** The same as `client.py`, with the clients for JavaScript. */
import { AIProjectClient } from '@azure/ai-projects';
import { DefaultAzureCredential } from '@azure/identity';
import { ConflictError } from 'openai';

const [command, ...rest] = process.argv.slice(2);
const server_url = rest.at(-1) ?? '';
const model = process.env.FOUNDRY_MODEL_NAME ?? '';
const tools = [
  { type: 'mcp' as const, server_label: 'travel', server_url, require_approval: 'always' as const },
];
const project = new AIProjectClient(process.env.FOUNDRY_PROJECT_ENDPOINT ?? '', new DefaultAzureCredential());
const { responses } = project.getOpenAIClient();

const tell = (what: object) => process.stdout.write(JSON.stringify(what));

if (command === 'ask') {
  const asked = await responses.create({ model, input: 'How is the weather in Oslo?', tools });
  const approval = asked.output.find(({ type }) => type === 'mcp_approval_request')?.id;
  tell({ response: asked.id, approval });
} else {
  const [previous_response_id = '', approval_request_id = ''] = rest;
  const answer = { type: 'mcp_approval_response' as const, approval_request_id, approve: true };
  const given = { model, previous_response_id, input: [answer], tools };
  const done = await responses.create(given);
  const again = await responses.create(given).then(
    () => null,
    (error: unknown) => {
      if (error instanceof ConflictError) return error.status;
      throw error;
    },
  );
  tell({ types: done.output.map(({ type }) => type), text: done.output_text, again });
}
