import Type, { type Static } from 'typebox';
import { projectName } from './project-name.ts';
import { OneOf } from './schema.ts';

const closed = { additionalProperties: false } as const;
const longestMilliseconds = 600_000;
export const mostRules = 200;

export const planName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const nameRule = 'be letters, digits, `.`, `_` and `-`, at most 64, the first a letter or digit';

export const faultKinds = [
  'status',
  'latency',
  'slow_first_byte',
  'reset',
  'cut_stream',
  'malformed_event',
  'model_failure',
  'tool_timeout',
  'storage_full',
] as const;
export type FaultKind = (typeof faultKinds)[number];

const Text = (about: string) => Type.String({ minLength: 1, maxLength: 256, description: about });
const Count = (minimum: number, about: string) =>
  Type.Integer({ minimum, maximum: 1_000_000_000, description: about });

export const FaultMatch = Type.Object(
  {
    operation: Type.Optional(Text('As figures and `docs/coverage.md` name it: `POST /openai/v1/responses`.')),
    route: Type.Optional(
      Type.String({
        pattern: '^/',
        maxLength: 256,
        rule: "be a path below the project, such as '/openai/v1/responses/*'",
        description: 'The path below the project; `*` stands for any text.',
      }),
    ),
    project: Type.Optional(Text('The project that is asked.')),
    agent: Type.Optional(Text('The agent that the request names, or that it is about.')),
    deployment: Type.Optional(Text('Of `model_failure`: the model deployment.')),
    tool: Type.Optional(Text('Of `tool_timeout`: the `type` of the tool.')),
  },
  closed,
);

export const FaultTimes = Type.Object(
  {
    nth: Type.Optional(Count(1, 'Only the call of this number.')),
    after: Type.Optional(Count(0, 'Not the first so many calls.')),
    first: Type.Optional(Count(1, 'Only so many calls, from the first one or the one behind `after`.')),
    every: Type.Optional(
      Count(1, 'Only each call whose number can be divided by it, counted behind `after`.'),
    ),
    probability: Type.Optional(
      Type.Number({ minimum: 0, maximum: 1, description: 'How likely each of them is struck.' }),
    ),
  },
  closed,
);

export const FaultRule = Type.Object(
  {
    name: Type.String({ pattern: planName.source, rule: nameRule }),
    fault: OneOf(...faultKinds),
    match: Type.Optional(FaultMatch),
    when: Type.Optional(FaultTimes),
    status: Type.Optional(Type.Integer({ minimum: 400, maximum: 599 })),
    retryAfterSeconds: Type.Optional(Type.Integer({ minimum: 0, maximum: 86_400 })),
    milliseconds: Type.Optional(Type.Integer({ minimum: 0, maximum: longestMilliseconds })),
    event: Type.Optional(Count(0, 'The number of an event in its stream.')),
    at: Type.Optional(OneOf('request', 'answer')),
  },
  closed,
);
export type FaultRule = Static<typeof FaultRule>;

export const FaultScope = Type.Object(
  {
    project: Type.Optional(Type.String({ pattern: projectName.source, rule: 'be the name of a project' })),
    token: Type.Optional(
      Type.String({
        pattern: '^[\\x21-\\x7e]{8,128}$',
        rule: 'be 8 to 128 printable characters without spaces',
      }),
    ),
  },
  closed,
);

export const FaultPlan = Type.Object(
  {
    seed: Type.Optional(Type.Integer({ minimum: 0, maximum: 4_294_967_295, default: 0 })),
    scope: Type.Optional(FaultScope),
    faults: Type.Array(FaultRule, { minItems: 1, maxItems: mostRules }),
  },
  closed,
);
export type FaultPlan = Static<typeof FaultPlan>;
