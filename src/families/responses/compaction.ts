import { apiError } from '../../errors.ts';
import type { Context as RequestContext } from '../../kit/context.ts';
import { newId, newItemId } from '../../kit/ids.ts';
import { unixSeconds } from '../../kit/time.ts';
import { callerOf } from '../../providers/models/caller.ts';
import type { ModelMessage } from '../../providers/models/model.ts';
import { plainRequest } from '../../providers/models/plain-request.ts';
import type { CreateResponse } from './contract.ts';
import type { Item } from './items.ts';
import { type PlanSources, planItems, readingOf } from './plan.ts';
import { noProgress } from './progress.ts';
import { promptMessages } from './prompt.ts';
import { compactionSeal } from './seals.ts';
import { usageObject } from './turn.ts';

type CompactionFields = Pick<CreateResponse, 'input' | 'previous_response_id' | 'instructions'> & {
  model: string;
};

const task =
  'Summarise the conversation below for a model that is to go on with it. Keep facts, names, numbers, ids, decisions, ' +
  'what tools returned, and what is still open. Write plain sentences and nothing else.';

/** Keeps what the user said and puts a sealed summary, made by the deployment, in the place of the rest. */
export async function compactItems(sources: PlanSources, ctx: RequestContext, body: CompactionFields) {
  const { deployment, provider } = sources.models.resolve(body.model, 'model');
  if (provider.generate === undefined)
    throw apiError('unsupported_parameter', 'The deployment generates nothing.', { target: 'model' });
  const items = await planItems(sources, ctx, body);
  const reading = readingOf(sources.tools, sources.sealer, ctx.project);
  const messages: ModelMessage[] = [
    { role: 'system', content: body.instructions ? `${task}\n${body.instructions}` : task },
    { role: 'user', content: [{ type: 'text', text: transcript(promptMessages(null, items, reading)) }] },
  ];
  let summary = '';
  const progress = noProgress();
  const request = { ...plainRequest, messages };
  for await (const event of provider.generate(request, ctx.signal, callerOf(ctx))) {
    if (event.type === 'text') summary += event.delta;
    if (event.type === 'finish') progress.usage = event.usage;
  }
  if (summary === '') {
    throw apiError('model_error', `Deployment '${deployment.name}' gave no summary. Repeat the request.`);
  }
  const compaction: Item = {
    id: newItemId('compaction'),
    type: 'compaction',
    encrypted_content: sources.sealer.seal(summary, compactionSeal, ctx.project),
  };
  return {
    id: newId('resp'),
    object: 'response.compaction' as const,
    created_at: unixSeconds(),
    output: [...items.filter((item) => item.type === 'message' && item.role === 'user'), compaction],
    usage: usageObject(progress.usage),
  };
}

const transcript = (messages: ModelMessage[]): string => messages.map(told).join('\n');

function told(message: ModelMessage): string {
  switch (message.role) {
    case 'system':
      return `System: ${message.content}`;
    case 'tool':
      return `Tool ${message.name}: ${message.output}`;
    case 'user':
      return `User: ${message.content.map((part) => (part.type === 'text' ? part.text : `[${part.type}]`)).join('')}`;
    case 'assistant':
      return `Assistant: ${message.content
        .map((part) => (part.type === 'tool_call' ? `[calls ${part.name}(${part.arguments})]` : part.text))
        .join('')}`;
  }
}
