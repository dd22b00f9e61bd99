import { recordOf } from '../../kit/record.ts';
import type { ToolCall, ToolFunction } from './tool.ts';
import { toolFailure } from './tool-failure.ts';

/** A function that takes one text. */
export const textFunction = (
  fn: Required<Pick<ToolFunction, 'name' | 'qualifiedName' | 'description'>>,
  parameter: string,
  about: string,
): ToolFunction => ({
  ...fn,
  parameters: {
    type: 'object',
    properties: { [parameter]: { type: 'string', description: about } },
    required: [parameter],
    additionalProperties: false,
  },
  strict: null,
});

/** The text that a call of it gives; a call without one fails. */
export function givenText(call: ToolCall, parameter: string): string {
  const text = textIn(call.arguments, parameter);
  if (text.trim() !== '') return text;
  throw toolFailure(`The parameter '${parameter}' is missing.`);
}

/** The text in the arguments of a call; empty where there is none. */
export function textIn(json: string, parameter: string): string {
  try {
    const text = recordOf(JSON.parse(json))[parameter];
    return typeof text === 'string' ? text : '';
  } catch {
    return '';
  }
}
