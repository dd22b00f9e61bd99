import Type, { type Static } from 'typebox';
import { AnyObject, Hint, Maybe, OneOf } from '../../kit/schema.ts';
import { UnionBy } from '../../kit/union.ts';

const toolName = Type.String({
  pattern: '^[A-Za-z0-9_-]{1,128}$',
  description: 'Up to 128 letters, digits, _ and -.',
});

export const FunctionTool = Type.Object({
  type: Type.Literal('function'),
  name: toolName,
  description: Maybe(Type.String()),
  parameters: Maybe(AnyObject),
  strict: Maybe(Type.Boolean()),
});
export type FunctionTool = Static<typeof FunctionTool>;

export const CustomTool = Type.Object({
  type: Type.Literal('custom'),
  name: toolName,
  description: Maybe(Type.String()),
  format: Maybe(
    UnionBy('type', {
      text: Type.Object({ type: Type.Literal('text') }),
      grammar: Type.Object({
        type: Type.Literal('grammar'),
        syntax: OneOf('lark', 'regex'),
        definition: Type.String(),
      }),
    }),
  ),
});

export type CustomTool = Static<typeof CustomTool>;

const kept = Type.Object({ type: Type.String() });

/** A tool by `type`. Those this server does not run are kept in agent definitions and refused when a response needs them. */
export const Tool = UnionBy(
  'type',
  { function: FunctionTool, custom: CustomTool, other: kept },
  { title: 'Tool', unknown: 'keep' },
);
export type Tool = Static<typeof Tool>;

const namedChoice = <const T extends string>(type: T) =>
  Type.Object({ type: Type.Literal(type), name: Type.String() });

export const ToolChoice = Type.Union([
  OneOf('none', 'auto', 'required'),
  UnionBy(
    'type',
    {
      function: namedChoice('function'),
      custom: namedChoice('custom'),
      allowed_tools: Type.Object({
        type: Type.Literal('allowed_tools'),
        mode: OneOf('auto', 'required'),
        tools: Type.Array(Type.Object({ type: Type.String(), name: Type.Optional(Type.String()) })),
      }),
      other: kept,
    },
    { title: 'NamedToolChoice', unknown: 'keep' },
  ),
]);
export interface AllowedTools {
  type: 'allowed_tools';
  mode: 'auto' | 'required';
  tools: { type: string; name?: string }[];
}

export type ToolChoice = Static<typeof ToolChoice>;

export const Reasoning = Type.Object({
  effort: Maybe(OneOf('none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max')),
  summary: Maybe(Hint('auto', 'concise', 'detailed')),
  generate_summary: Maybe(Hint('auto', 'concise', 'detailed')),
  mode: Maybe(OneOf('standard', 'pro')),
  context: Maybe(OneOf('auto', 'current_turn', 'all_turns')),
});
export type Reasoning = Static<typeof Reasoning>;

export const TextFormat = UnionBy(
  'type',
  {
    text: Type.Object({ type: Type.Literal('text') }),
    json_object: Type.Object({ type: Type.Literal('json_object') }),
    json_schema: Type.Object({
      type: Type.Literal('json_schema'),
      name: Type.String({ pattern: '^[A-Za-z0-9_-]{1,64}$' }),
      schema: AnyObject,
      description: Maybe(Type.String()),
      strict: Maybe(Type.Boolean()),
    }),
  },
  { title: 'TextFormat' },
);
export type TextFormat = Static<typeof TextFormat>;

export const TextOptions = Type.Object({
  format: Maybe(TextFormat),
  verbosity: Maybe(OneOf('low', 'medium', 'high')),
});
export type TextOptions = Static<typeof TextOptions>;
