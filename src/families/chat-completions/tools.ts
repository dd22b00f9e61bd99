import Type, { type Static } from 'typebox';
import { invalidPayload, unsupportedParameter } from '../../errors.ts';
import { AnyObject, Maybe, OneOf } from '../../kit/schema.ts';
import { UnionBy } from '../../kit/union.ts';
import { assertJsonSchema } from '../../kit/validation.ts';
import type { ModelTool, ModelToolChoice } from '../../providers/models/model.ts';

const toolName = Type.String({
  pattern: '^[A-Za-z0-9_-]{1,128}$',
  description: 'Up to 128 letters, digits, _ and -.',
});
const named = Type.Object({ name: Type.String() });

export const Tool = UnionBy('type', {
  function: Type.Object({
    type: Type.Literal('function'),
    function: Type.Object({
      name: toolName,
      description: Maybe(Type.String()),
      parameters: Maybe(AnyObject),
      strict: Maybe(Type.Boolean()),
    }),
  }),
  custom: Type.Object({
    type: Type.Literal('custom'),
    custom: Type.Object({
      name: toolName,
      description: Maybe(Type.String()),
      format: Maybe(Type.Object({ type: OneOf('text', 'grammar') })),
    }),
  }),
});
export type Tool = Static<typeof Tool>;

const NamedTool = UnionBy('type', {
  function: Type.Object({ type: Type.Literal('function'), function: named }),
  custom: Type.Object({ type: Type.Literal('custom'), custom: named }),
});

export const ToolChoice = Type.Union([
  OneOf('none', 'auto', 'required'),
  UnionBy('type', {
    function: Type.Object({ type: Type.Literal('function'), function: named }),
    custom: Type.Object({ type: Type.Literal('custom'), custom: named }),
    allowed_tools: Type.Object({
      type: Type.Literal('allowed_tools'),
      allowed_tools: Type.Object({
        mode: OneOf('auto', 'required'),
        tools: Type.Array(NamedTool, { maxItems: 128 }),
      }),
    }),
  }),
]);
export type ToolChoice = Static<typeof ToolChoice>;

export interface OfferedTools {
  tools: ModelTool[];
  choice: ModelToolChoice;
  /** Names of the tools that take free text. */
  custom: ReadonlySet<string>;
}

/** The tools the model may call, and whether it must. */
export function offeredTools(given: Tool[], choice: ToolChoice): OfferedTools {
  const tools = given.map((tool, i) => modelTool(tool, `tools[${i}]`));
  const names = new Set<string>();
  for (const [i, { name }] of tools.entries()) {
    if (names.has(name))
      throw invalidPayload(`tools[${i}]`, `Two tools are named '${name}'; names must differ.`);
    names.add(name);
  }
  const custom = new Set(given.flatMap((tool) => (tool.type === 'custom' ? [tool.custom.name] : [])));
  const known = ({ type, name }: NamedChoice, target: string): string => {
    if (names.has(name) && custom.has(name) === (type === 'custom')) return name;
    throw invalidPayload(target, `There is no ${type} tool '${name.slice(0, 128)}' among 'tools'.`);
  };
  if (typeof choice === 'string') return { tools, choice: withTools(choice, tools), custom };
  if (choice.type !== 'allowed_tools')
    return { tools, choice: { name: known(nameOf(choice), 'tool_choice') }, custom };
  const allowed = new Set(
    choice.allowed_tools.tools.map((tool, i) => known(nameOf(tool), `tool_choice.allowed_tools.tools[${i}]`)),
  );
  const left = tools.filter(({ name }) => allowed.has(name));
  return { tools: left, choice: withTools(choice.allowed_tools.mode, left), custom };
}

interface NamedChoice {
  type: 'function' | 'custom';
  name: string;
}

const nameOf = (choice: Static<typeof NamedTool>): NamedChoice =>
  choice.type === 'function'
    ? { type: 'function', name: choice.function.name }
    : { type: 'custom', name: choice.custom.name };

function withTools<T extends 'none' | 'auto' | 'required'>(choice: T, tools: ModelTool[]): T {
  if (choice !== 'required' || tools.length > 0) return choice;
  throw invalidPayload('tool_choice', "A tool is 'required', but there is none to call.");
}

const noParameters = { type: 'object', properties: {} };

/** Models take JSON only, so the free text of a custom tool travels as `{"input": …}`. */
const freeText = {
  type: 'object',
  properties: { input: { type: 'string' } },
  required: ['input'],
  additionalProperties: false,
};

function modelTool(tool: Tool, target: string): ModelTool {
  if (tool.type === 'custom') {
    const { name, description, format } = tool.custom;
    if (format?.type === 'grammar') {
      throw unsupportedParameter(
        `${target}.custom.format`,
        "Custom tools with a grammar can't be honoured here; leave 'format' out.",
      );
    }
    return { name, description: description ?? null, parameters: freeText, strict: null };
  }
  const { name, description, parameters, strict } = tool.function;
  if (parameters) assertJsonSchema(parameters, `${target}.function.parameters`);
  return {
    name,
    description: description ?? null,
    parameters: parameters ?? noParameters,
    strict: strict ?? null,
  };
}

export const wrapFreeText = (input: string): string => JSON.stringify({ input });

/** The free text in a call's arguments; some models send it bare. */
export function unwrapFreeText(json: string): string {
  try {
    const { input } = JSON.parse(json) as { input?: unknown };
    return typeof input === 'string' ? input : json;
  } catch {
    return json;
  }
}
