/** The same as `client.py`, with the clients for JavaScript. */
import { AIProjectClient } from '@azure/ai-projects';
import { DefaultAzureCredential } from '@azure/identity';
import { RateLimitError } from 'openai';

const endpoint = process.env.FOUNDRY_PROJECT_ENDPOINT ?? '';
const credential = new DefaultAzureCredential();
const project = new AIProjectClient(endpoint, credential);
const openai = project.getOpenAIClient();

const ask = async (model: string, input = 'Hello', maxRetries = 2) =>
  (await openai.responses.create({ model, input }, { maxRetries })).status;

async function refusal(work: Promise<unknown>) {
  try {
    await work;
    return null;
  } catch (error) {
    if (!(error instanceof RateLimitError)) throw error;
    const { code, param, headers, message } = error;
    return { code, param, message, retryAfter: headers.get('retry-after') !== null };
  }
}

/** A model takes a while to be loaded. */
await ask('builtin');
/** One call too many: the client waits as long as it is told, and asks again. */
const patient = [await ask('brisk'), await ask('brisk')];

await ask('slow');
const impatient = await refusal(ask('slow', 'Hello', 0));

const { response } = await openai.responses.create({ model: 'roomy', input: 'Hello' }).withResponse();
const told = ['limit', 'remaining', 'reset'].flatMap((what) =>
  ['requests', 'tokens'].filter((unit) => response.headers.get(`x-ratelimit-${what}-${unit}`) !== null),
);

const names = async (client: AIProjectClient): Promise<number> => {
  let count = 0;
  for await (const _ of client.deployments.list()) count++;
  return count;
};
/** While the one request that the project may have under way goes on. */
const busy = ask('builtin', 'take your time');
await new Promise((resolve) => setTimeout(resolve, 300));
const hasty = new AIProjectClient(endpoint, credential, { retryOptions: { maxRetries: 0 } });
const native = await names(hasty).then(
  () => null,
  (error) => ({ status: error.statusCode, code: error.code }),
);
const listed = await names(project);
await busy;

process.stdout.write(JSON.stringify({ patient, impatient, told, native, listed: listed > 0 }));
