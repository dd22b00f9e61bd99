import Type, { type Static } from 'typebox';
import { invalidPayload } from '../../errors.ts';
import { newItemId } from '../../kit/ids.ts';
import { AnyObject, Maybe, OneOf } from '../../kit/schema.ts';
import { UnionBy } from '../../kit/union.ts';

/** Items: what a response takes in and gives out, and what a conversation is made of. Told apart by `type`. */

const text = { text: Type.String() };
const type = <const T extends string>(name: T) => ({ type: Type.Literal(name) });

export const ContentPart = UnionBy(
  'type',
  {
    input_text: Type.Object({ ...type('input_text'), ...text }),
    input_image: Type.Object({
      ...type('input_image'),
      image_url: Maybe(Type.String()),
      file_id: Maybe(Type.String()),
      detail: Maybe(OneOf('auto', 'low', 'high', 'original')),
    }),
    input_file: Type.Object({
      ...type('input_file'),
      file_id: Maybe(Type.String()),
      file_data: Maybe(Type.String()),
      file_url: Maybe(Type.String()),
      filename: Maybe(Type.String()),
    }),
    output_text: Type.Object({
      ...type('output_text'),
      ...text,
      annotations: Maybe(Type.Array(AnyObject)),
      logprobs: Maybe(Type.Array(AnyObject)),
    }),
    refusal: Type.Object({ ...type('refusal'), refusal: Type.String() }),
    text: Type.Object({ ...type('text'), ...text }),
    summary_text: Type.Object({ ...type('summary_text'), ...text }),
    reasoning_text: Type.Object({ ...type('reasoning_text'), ...text }),
  },
  { title: 'ContentPart' },
);
export type ContentPart = Static<typeof ContentPart>;

const common = { id: Maybe(Type.String({ minLength: 1, maxLength: 256 })), status: Maybe(Type.String()) };
const callId = Type.String({ minLength: 1, maxLength: 64 });
const output = Type.Union([Type.String({ maxLength: 10_485_760 }), Type.Array(ContentPart)]);

export const Message = Type.Object({
  ...common,
  type: Type.Optional(Type.Literal('message')),
  role: OneOf('user', 'assistant', 'system', 'developer', 'unknown', 'critic', 'discriminator', 'tool'),
  content: Type.Union([Type.String(), Type.Array(ContentPart)]),
});
const FunctionCall = Type.Object({
  ...common,
  ...type('function_call'),
  call_id: callId,
  name: Type.String({ minLength: 1 }),
  arguments: Type.String(),
});
const FunctionCallOutput = Type.Object({
  ...common,
  ...type('function_call_output'),
  call_id: callId,
  output,
});
const CustomToolCall = Type.Object({
  ...common,
  ...type('custom_tool_call'),
  call_id: callId,
  name: Type.String({ minLength: 1 }),
  input: Type.String(),
});
const CustomToolCallOutput = Type.Object({
  ...common,
  ...type('custom_tool_call_output'),
  call_id: callId,
  output,
});
const ReasoningItem = Type.Object({
  ...common,
  ...type('reasoning'),
  summary: Type.Array(ContentPart),
  content: Maybe(Type.Array(ContentPart)),
  encrypted_content: Maybe(Type.String()),
});
const ItemReference = Type.Object({
  id: Type.String({ minLength: 1 }),
  type: Maybe(Type.Literal('item_reference')),
});

const ApprovalResponse = Type.Object({
  ...common,
  ...type('mcp_approval_response'),
  approval_request_id: Type.String({ minLength: 1 }),
  approve: Type.Boolean(),
  reason: Maybe(Type.String()),
});

const Compaction = Type.Object({
  ...common,
  ...type('compaction'),
  encrypted_content: Type.String({ minLength: 1, maxLength: 20_971_520 }),
});

/** Further types of the contract: stored, listed and replayed as they are. */
const otherTypes = [
  'web_search_call',
  'file_search_call',
  'code_interpreter_call',
  'image_generation_call',
  'computer_call',
  'computer_call_output',
  'local_shell_call',
  'local_shell_call_output',
  'shell_call',
  'shell_call_output',
  'apply_patch_call',
  'apply_patch_call_output',
  'mcp_call',
  'mcp_list_tools',
  'mcp_approval_request',
  'mcp_approval_response',
  'compaction',
  'structured_outputs',
  'oauth_consent_request',
  'workflow_action',
  'memory_search_call',
  'azure_ai_search_call',
  'azure_ai_search_call_output',
  'bing_grounding_call',
  'bing_grounding_call_output',
  'bing_custom_search_preview_call',
  'bing_custom_search_preview_call_output',
  'openapi_call',
  'openapi_call_output',
  'azure_function_call',
  'azure_function_call_output',
  'a2a_preview_call',
  'a2a_preview_call_output',
  'sharepoint_grounding_preview_call',
  'sharepoint_grounding_preview_call_output',
  'fabric_dataagent_preview_call',
  'fabric_dataagent_preview_call_output',
  'browser_automation_preview_call',
  'browser_automation_preview_call_output',
  'remote_function_call',
  'remote_function_call_output',
] as const;
const OtherItem = Type.Object({ ...common, type: Type.String() });

export const InputItem = UnionBy(
  'type',
  {
    message: Message,
    function_call: FunctionCall,
    function_call_output: FunctionCallOutput,
    custom_tool_call: CustomToolCall,
    custom_tool_call_output: CustomToolCallOutput,
    reasoning: ReasoningItem,
    item_reference: ItemReference,
    ...(Object.fromEntries(otherTypes.map((name) => [name, OtherItem])) as { other: typeof OtherItem }),
    mcp_approval_response: ApprovalResponse,
    compaction: Compaction,
  },
  {
    title: 'InputItem',
    fallback: (item) => (isBareReference(item) ? 'item_reference' : 'message'),
    description:
      'An item. Without a `type` it is a message, or, with nothing but an `id`, a reference to another item.',
  },
);
export type InputItem = Static<typeof InputItem>;

/** Items of tools and of the service; each kind carries members of its own. */
export type ToolItem = { type: (typeof otherTypes)[number]; status?: string; [member: string]: unknown };

/** An item as it is stored and answered: with id, type and, where its kind has one, status. */
export type Item = { id: string } & (
  | { type: 'message'; role: string; status: string; content: ContentPart[] }
  | { type: 'function_call'; call_id: string; name: string; arguments: string; status: string }
  | { type: 'function_call_output'; call_id: string; output: string | ContentPart[]; status: string }
  | { type: 'custom_tool_call'; call_id: string; name: string; input: string; status: string }
  | { type: 'custom_tool_call_output'; call_id: string; output: string | ContentPart[]; status: string }
  | {
      type: 'reasoning';
      summary: ContentPart[];
      content?: ContentPart[];
      encrypted_content?: string | null;
      status?: string;
    }
  | ToolItem
);

export const StoredItem = Type.Unsafe<Item>({
  type: 'object',
  required: ['id', 'type'],
  properties: { id: { type: 'string' }, type: { type: 'string' } },
  title: 'Item',
  description: 'An item with its id.',
});

/** The stored form of an item that passed `InputItem`; references to other items are left to the caller. */
export function normaliseItem(
  item: InputItem,
  target: string,
  partition: string,
): Item | { type: 'item_reference'; id: string } {
  if (isBareReference(item)) return { type: 'item_reference', id: (item as { id: string }).id };
  if (item.type === 'item_reference') return { type: 'item_reference', id: (item as { id: string }).id };
  const kind = item.type ?? 'message';
  const id = (item as { id?: string | null }).id ?? newItemId(kind, partition);
  if (kind !== 'message') return withStatus({ ...item, id } as Item);
  const message = item as Static<typeof Message>;
  const content =
    typeof message.content === 'string' ? textParts(message.role, message.content) : message.content;
  for (const [i, part] of content.entries()) checkPart(part, `${target}.content[${i}]`);
  return { ...message, id, type: 'message', status: message.status ?? 'completed', content } as Item;
}

function isBareReference(item: object): boolean {
  return 'id' in item && !('role' in item) && !('content' in item) && !('type' in item && item.type !== null);
}

const withStatus = (item: Item): Item =>
  'call_id' in item && (item as { status?: string }).status == null ? { ...item, status: 'completed' } : item;

export const userMessage = (content: string, partition: string): Item => ({
  id: newItemId('message', partition),
  type: 'message',
  role: 'user',
  status: 'completed',
  content: [{ type: 'input_text', text: content }],
});

function textParts(role: string, content: string): ContentPart[] {
  return role === 'assistant'
    ? [{ type: 'output_text', text: content, annotations: [], logprobs: [] }]
    : [{ type: 'input_text', text: content }];
}

function checkPart(part: ContentPart, target: string): void {
  if (part.type === 'input_image' && !part.image_url && !part.file_id) {
    throw invalidPayload(target, `'${target}' needs an image_url or a file_id.`);
  }
  if (part.type === 'input_file' && !part.file_data && !part.file_id && !part.file_url) {
    throw invalidPayload(target, `'${target}' needs file_data, a file_url or a file_id.`);
  }
}
