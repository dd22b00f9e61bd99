import type { Context } from '../../kit/context.ts';
import { asApiError, errorBody } from '../../kit/error-body.ts';

export const doneFrame = 'data: [DONE]\n\n';

/** A frame of this API: the events have no names. */
export const dataFrame = (value: object): string => `data: ${JSON.stringify(value)}\n\n`;

/** How a stream that fails after its first byte ends; OpenAI clients raise what stands under `error`. */
export function errorFrame(ctx: Context, thrown: unknown): string {
  const error = asApiError(thrown);
  if (error.code === 'server_error') ctx.log.error({ err: thrown }, 'streaming a completion failed');
  return dataFrame(errorBody(error, 'openai', ctx.requestId));
}
