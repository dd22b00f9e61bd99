/** An agent that tells customers where their orders are. It looks them up with a function of this program. */
import type { AIProjectClient } from '@azure/ai-projects';

export const agentName = 'order-desk';

export const makeAgent = (project: AIProjectClient, model: string) =>
  project.agents.createVersion(agentName, {
    kind: 'prompt',
    model,
    instructions: 'You tell customers where their orders are, in one sentence.',
    tools: [
      {
        type: 'function',
        name: 'get_order',
        description: 'Looks an order up by its number.',
        parameters: {
          type: 'object',
          properties: { number: { type: 'string' } },
          required: ['number'],
          additionalProperties: false,
        },
        strict: true,
      },
    ],
  });

export type GetOrder = (number: string) => object;

/** Asks the agent, and calls the function as often as it wants. */
export async function answer(
  project: AIProjectClient,
  question: string,
  getOrder: GetOrder,
): Promise<string> {
  const openai = project.getOpenAIClient();
  const body = { agent_reference: { type: 'agent_reference', name: agentName } };
  let response = await openai.responses.create({ input: question }, { body });
  for (let turn = 0; turn < 5; turn++) {
    const calls = response.output.filter((item) => item.type === 'function_call');
    if (calls.length === 0) return response.output_text;
    const outputs = calls.map((call) => ({
      type: 'function_call_output' as const,
      call_id: call.call_id,
      output: JSON.stringify(getOrder(JSON.parse(call.arguments).number)),
    }));
    response = await openai.responses.create({ input: outputs, previous_response_id: response.id }, { body });
  }
  throw new Error('The agent goes on and on calling the function.');
}
