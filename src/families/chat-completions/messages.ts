import Type, { type Static } from 'typebox';
import { AnyObject, Maybe, OneOf } from '../../kit/schema.ts';
import { UnionBy } from '../../kit/union.ts';

/** The messages of a request, told apart by `role`. */

const type = <const T extends string>(name: T) => ({ type: Type.Literal(name) });
const role = <const T extends string>(name: T) => ({ role: Type.Literal(name) });

const TextPart = Type.Object({ ...type('text'), text: Type.String() });
const RefusalPart = Type.Object({ ...type('refusal'), refusal: Type.String() });

const UserPart = UnionBy('type', {
  text: TextPart,
  image_url: Type.Object({
    ...type('image_url'),
    image_url: Type.Object({
      url: Type.String({ description: 'A `data:` URL of an image, or a web address.' }),
      detail: Maybe(OneOf('auto', 'low', 'high', 'original')),
    }),
  }),
  file: Type.Object({
    ...type('file'),
    file: Type.Object({
      file_data: Maybe(Type.String({ description: 'A base64 `data:` URL.' })),
      file_id: Maybe(Type.String()),
      filename: Maybe(Type.String()),
    }),
  }),
  input_audio: Type.Object({ ...type('input_audio'), input_audio: AnyObject }),
});
export type UserPart = Static<typeof UserPart>;

const parts = <T extends Parameters<typeof Type.Array>[0]>(part: T) =>
  Type.Union([Type.String(), Type.Array(part, { minItems: 1 })]);

const textContent = parts(UnionBy('type', { text: TextPart }));
const AssistantPart = UnionBy('type', { text: TextPart, refusal: RefusalPart });
const name = Maybe(Type.String());
const callId = Type.String({ minLength: 1 });

const ToolCall = UnionBy('type', {
  function: Type.Object({
    ...type('function'),
    id: callId,
    function: Type.Object({ name: Type.String({ minLength: 1 }), arguments: Type.String() }),
  }),
  custom: Type.Object({
    ...type('custom'),
    id: callId,
    custom: Type.Object({ name: Type.String({ minLength: 1 }), input: Type.String() }),
  }),
});
export type ToolCall = Static<typeof ToolCall>;

const AssistantMessage = Type.Object({
  ...role('assistant'),
  content: Maybe(parts(AssistantPart)),
  refusal: Maybe(Type.String()),
  tool_calls: Maybe(Type.Array(ToolCall, { maxItems: 128 })),
  function_call: Maybe(Type.Object({ name: Type.String({ minLength: 1 }), arguments: Type.String() })),
  audio: Maybe(AnyObject),
  name,
});
export type AssistantMessage = Static<typeof AssistantMessage>;

export const Message = UnionBy('role', {
  developer: Type.Object({ ...role('developer'), content: textContent, name }),
  system: Type.Object({ ...role('system'), content: textContent, name }),
  user: Type.Object({ ...role('user'), content: parts(UserPart), name }),
  assistant: AssistantMessage,
  tool: Type.Object({ ...role('tool'), content: textContent, tool_call_id: callId }),
  function: Type.Object({
    ...role('function'),
    content: Type.Union([Type.String(), Type.Null()]),
    name: Type.String({ minLength: 1 }),
  }),
});
export type Message = Static<typeof Message>;
