import { unsupportedParameter } from '../../errors.ts';
import type { Context } from '../../kit/context.ts';
import { asApiError, errorBody } from '../../kit/error-body.ts';
import { ByteStream, EventStream, JsonText } from '../../kit/operation.ts';
import { callerOf } from './caller.ts';
import type { ModelGateway } from './gateway.ts';
import type { AnswerKind, ForwardAnswer, ForwardRequest, ModelProvider } from './model.ts';

interface Passed {
  json: JsonText;
  events: EventStream;
  audio: ByteStream;
  text: ByteStream;
}

export interface PassOnRequest<K extends AnswerKind> extends Omit<ForwardRequest, 'answers'> {
  /** Name of the deployment. */
  model: string;
  /** What is asked of the deployment, for the refusal of one that cannot: `make images`. */
  task: string;
  answers: readonly K[];
}

/** Answers a request with what its deployment's server answers; refuses it where the deployment has no such server. */
export async function passOn<K extends AnswerKind>(
  models: ModelGateway,
  ctx: Context,
  { model, task, ...request }: PassOnRequest<K>,
): Promise<Passed[K]> {
  const forward = forwardOf(models, { model, task, target: 'model' });
  const started = performance.now();
  const answer = await forward(request, ctx.signal, callerOf(ctx));
  ctx.timing('model', performance.now() - started);
  return result(ctx, answer) as Passed[K];
}

/** The way to a deployment's server; refuses one that has none about the field `target`. */
export function forwardOf(
  models: ModelGateway,
  { model, task, target }: { model: string; task: string; target: string },
): NonNullable<ModelProvider['forward']> {
  const { deployment, provider } = models.resolve(model, target);
  if (provider.forward !== undefined) return provider.forward;
  throw unsupportedParameter(
    target,
    `Deployment '${deployment.name}' of the provider '${deployment.provider}' cannot ${task}. Name one whose server ` +
      'can: add it in bloomery.yaml under `deployments`, with `provider: openai-compatible` or `azure-openai`.',
  );
}

function result(ctx: Context, answer: ForwardAnswer): Passed[AnswerKind] {
  if (answer.kind === 'json') return new JsonText(answer.text);
  if (answer.kind === 'events') return new EventStream(answer.frames, (error) => errorFrame(ctx, error));
  return new ByteStream(answer.bytes, answer.contentType);
}

/** How a stream that fails after its first byte ends; OpenAI clients raise what stands under `error`. */
function errorFrame(ctx: Context, thrown: unknown): string {
  const error = asApiError(thrown);
  if (error.code === 'server_error') ctx.log.error({ err: thrown }, 'passing on a stream failed');
  return `data: ${JSON.stringify(errorBody(error, 'openai', ctx.requestId))}\n\n`;
}
