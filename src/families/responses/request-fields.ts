import type { CreateResponse } from './contract.ts';

/** What a run needs of its request besides settings and items. Kept with background responses, so plain data only. */
export interface RequestFields {
  maxOutputTokens: number | null;
  maxToolCalls: number | null;
  truncation: 'auto' | 'disabled';
  /** The end user, as providers are told. */
  user: string | null;
  stream: boolean;
  /** What the response is to tell besides. */
  include: string[];
}

export const requestFields = (
  body: Pick<
    CreateResponse,
    | 'max_output_tokens'
    | 'max_tool_calls'
    | 'truncation'
    | 'safety_identifier'
    | 'user'
    | 'stream'
    | 'include'
  >,
): RequestFields => ({
  maxOutputTokens: body.max_output_tokens ?? null,
  maxToolCalls: body.max_tool_calls ?? null,
  truncation: body.truncation ?? 'disabled',
  user: body.safety_identifier ?? body.user ?? null,
  stream: body.stream ?? false,
  include: body.include ?? [],
});
