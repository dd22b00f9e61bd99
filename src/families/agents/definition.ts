import Type, { type Static } from 'typebox';
import { AnyObject, Maybe, OneOf } from '../../kit/schema.ts';
import { UnionBy } from '../../kit/union.ts';
import { Reasoning, TextOptions, Tool, ToolChoice } from '../responses/request-parts.ts';

export const StructuredInput = Type.Object({
  description: Maybe(Type.String()),
  default_value: Type.Optional(Type.Unknown()),
  schema: Maybe(AnyObject),
  required: Maybe(Type.Boolean()),
});

export type StructuredInput = Static<typeof StructuredInput>;

export const PromptDefinition = Type.Object({
  kind: Type.Literal('prompt'),
  model: Type.String({ minLength: 1, description: 'Name of a model deployment.' }),
  instructions: Maybe(Type.String()),
  temperature: Maybe(Type.Number({ minimum: 0, maximum: 2 })),
  top_p: Maybe(Type.Number({ minimum: 0, maximum: 1 })),
  reasoning: Maybe(Reasoning),
  tools: Maybe(Type.Array(Tool, { maxItems: 128 })),
  tool_choice: Maybe(ToolChoice),
  text: Maybe(TextOptions),
  structured_inputs: Maybe(Type.Record(Type.String(), StructuredInput)),
  skills: Maybe(Type.Array(AnyObject)),
  harness: Maybe(AnyObject),
  rai_config: Maybe(AnyObject),
});
export type PromptDefinition = Static<typeof PromptDefinition>;

/** Kinds of the contract that this server does not run yet. Their definitions are refused after their preview gate. */
const otherKind = Type.Object({ kind: Type.String() });

export const AgentDefinition = UnionBy(
  'kind',
  { prompt: PromptDefinition, hosted: otherKind, workflow: otherKind, external: otherKind, voice: otherKind },
  { title: 'AgentDefinition', description: 'What the agent is, by `kind`. `prompt` is served.' },
);

export const kindGates: Record<string, string> = {
  workflow: 'WorkflowAgents=V1Preview',
  external: 'ExternalAgents=V1Preview',
  voice: 'VoiceAgents=V1Preview',
};

const VersionSelectionRule = Type.Object({
  type: OneOf('FixedRatio'),
  agent_version: Type.String({ minLength: 1 }),
  traffic_percentage: Type.Integer({ minimum: 0, maximum: 100 }),
});

export const AgentEndpoint = Type.Object({
  version_selector: Maybe(
    Type.Object({ version_selection_rules: Maybe(Type.Array(VersionSelectionRule, { maxItems: 20 })) }),
  ),
  protocol_configuration: Maybe(Type.Record(Type.String(), Type.Union([AnyObject, Type.Null()]))),
  authorization_schemes: Maybe(Type.Array(AnyObject)),
});
export type AgentEndpoint = Static<typeof AgentEndpoint>;

const AgentCardSkill = Type.Object({
  id: Type.String({ minLength: 1, maxLength: 64 }),
  name: Type.String({ minLength: 1, maxLength: 128 }),
  description: Maybe(Type.String({ maxLength: 2048 })),
  tags: Maybe(Type.Array(Type.String({ maxLength: 32 }), { maxItems: 5 })),
  examples: Maybe(Type.Array(Type.String({ maxLength: 1024 }), { maxItems: 5 })),
});

export const AgentCard = Type.Object({
  version: Type.String({ minLength: 1, maxLength: 32 }),
  description: Maybe(Type.String({ maxLength: 2048 })),
  skills: Type.Array(AgentCardSkill, { minItems: 1, maxItems: 16 }),
});

/** What an agent's endpoint is until somebody configures it: every request to the newest release version. */
export const defaultEndpoint: AgentEndpoint = {
  version_selector: {
    version_selection_rules: [{ type: 'FixedRatio', agent_version: '@latest', traffic_percentage: 100 }],
  },
  protocol_configuration: { responses: {} },
  authorization_schemes: [{ type: 'Entra' }],
};
