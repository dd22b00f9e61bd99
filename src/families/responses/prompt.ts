import type { ReadFiles } from '../../kit/named-files.ts';
import type { FilePart, ImagePart, ModelMessage, TextPart } from '../../providers/models/model.ts';
import type { ReplayedCall } from '../../providers/tools/tool.ts';
import { answeredCall, clientToolOf, isClientToolOutput, toldOutput } from './client-tools.ts';
import type { ContentPart, Item, ToolItem } from './items.ts';
import { sourceOf } from './named-files.ts';

type AssistantMessage = Extract<ModelMessage, { role: 'assistant' }>;
type UserPart = TextPart | ImagePart | FilePart;

export const summaryOpening = 'Summary of the conversation so far: ';

/** What an item of a server-side tool tells the model; null where it says nothing. */
export type ToolItemReplay = (
  item: ToolItem & { id: string },
  output: ToolItem | null,
) => ReplayedCall | null;

/** Turns instructions and items into the messages of a model call. */
export function promptMessages(
  instructions: string | null,
  items: Item[],
  reading: ItemReading,
): ModelMessage[] {
  const messages: ModelMessage[] = [];
  if (instructions !== null && instructions !== '') messages.push({ role: 'system', content: instructions });
  const reader: Reader = {
    ...reading,
    messages,
    called: new Map(),
    outcomes: outcomesOf(items),
    approvals: new Map(),
    calls: null,
  };
  for (const item of items) addItem(reader, item);
  return messages;
}

const outcomeKey = (type: string, callId: unknown): string => `${type} ${callId}`;

function outcomesOf(items: Item[]): Map<string, ToolItem> {
  const outcomes = new Map<string, ToolItem>();
  for (const item of items) {
    if (!item.type.endsWith('_call_output')) continue;
    outcomes.set(outcomeKey(item.type, (item as ToolItem).call_id), item as ToolItem);
  }
  return outcomes;
}

/** What only others can say of an item. */
export interface ItemReading {
  replay: ToolItemReplay;
  open: OpenSealed;
  /** What is in the files that items name or carry. */
  files: ReadFiles;
  /** The name by which the model now knows the function of an item, where it is offered one. */
  nameOf(item: ToolItem): string | undefined;
}

/** The text of something sealed for the caller to carry; null where it can't be opened. */
export type OpenSealed = (sealed: string) => string | null;

interface Reader extends ItemReading {
  messages: ModelMessage[];
  /** Calls of the client's tools, by the ids that outputs may name them by. */
  called: Map<string, { callId: string; name: string }>;
  /** The second items of server-side calls. */
  outcomes: ReadonlyMap<string, ToolItem>;
  approvals: Map<string, ToolItem>;
  /** The message whose server-side calls are just being told; calls made together stand together. */
  calls: AssistantMessage | null;
}

function addItem(reader: Reader, item: Item): void {
  const { messages } = reader;
  const calls = reader.calls;
  reader.calls = null;
  switch (item.type) {
    case 'message':
      addMessage(messages, item.role, item.content, reader.files);
      return;
    case 'function_call':
    case 'custom_tool_call':
      // What was cut off was never called.
      if (item.status === 'incomplete') return;
      reader.called.set(item.call_id, { callId: item.call_id, name: item.name });
      assistant(messages).content.push({
        type: 'tool_call',
        callId: item.call_id,
        name: item.name,
        arguments: item.type === 'function_call' ? item.arguments : JSON.stringify({ input: item.input }),
      });
      return;
    case 'function_call_output':
    case 'custom_tool_call_output':
      addOutput(reader, item.call_id, typeof item.output === 'string' ? item.output : plainText(item.output));
      return;
    case 'reasoning': {
      const text = reasoningText(item, reader.open);
      if (text !== '') assistant(messages).content.push({ type: 'reasoning', text });
      return;
    }
    case 'compaction': {
      const summary = reader.open(String(item.encrypted_content));
      if (summary) assistant(messages).content.push({ type: 'text', text: `${summaryOpening}${summary}` });
      return;
    }
    case 'mcp_approval_request':
      reader.approvals.set(item.id, item);
      return;
    case 'mcp_approval_response':
      addRefusal(reader, item);
      return;
    default:
      addToolItem(reader, item, calls);
  }
}

function addOutput({ messages, called }: Reader, id: string, output: string): void {
  const { callId, name } = called.get(id) ?? { callId: id, name: '' };
  messages.push({ role: 'tool', callId, name, output });
}

function addToolItem(reader: Reader, item: ToolItem & { id: string }, calls: AssistantMessage | null): void {
  const own = clientToolOf(item);
  if (own !== undefined) {
    if (item.status === 'incomplete') return;
    const call = { callId: String(item.call_id), name: own.name };
    reader.called.set(call.callId, call).set(item.id, call);
    assistant(reader.messages).content.push({
      type: 'tool_call',
      ...call,
      arguments: JSON.stringify(own.given(item)),
    });
    return;
  }
  if (isClientToolOutput(item)) {
    const { text, picture } = toldOutput(item);
    addOutput(reader, answeredCall(item), text);
    if (picture !== null) reader.messages.push({ role: 'user', content: [userPart(picture, reader.files)] });
    return;
  }
  const outcome = reader.outcomes.get(outcomeKey(`${item.type}_output`, item.call_id)) ?? null;
  const replayed = reader.replay(item, outcome);
  if (replayed !== null) addCall(reader, item, item.id, replayed, calls);
}

/** An approved call tells of itself; one that was not approved has nothing but this. */
function addRefusal(reader: Reader, item: ToolItem): void {
  const request = reader.approvals.get(String(item.approval_request_id));
  if (item.approve === true || request === undefined) return;
  const reason = typeof item.reason === 'string' && item.reason !== '' ? `: ${item.reason}` : '.';
  const call = { name: String(request.name), arguments: String(request.arguments) };
  addCall(
    reader,
    request,
    String(item.approval_request_id),
    { ...call, output: `The user did not approve this call${reason}` },
    null,
  );
}

/** Providers take nothing else as the name of a function. */
const callable = (name: string): string => name.replace(/[^A-Za-z0-9_-]/g, '_').slice(0, 64);

function addCall(
  reader: Reader,
  item: ToolItem,
  callId: string,
  { name: toldName, arguments: text, output }: ReplayedCall,
  calls: AssistantMessage | null,
): void {
  const name = reader.nameOf(item) ?? callable(toldName);
  const message = calls ?? assistant(reader.messages);
  message.content.push({ type: 'tool_call', callId, name, arguments: text });
  reader.messages.push({ role: 'tool', callId, name, output });
  reader.calls = message;
}

function addMessage(messages: ModelMessage[], role: string, content: ContentPart[], files: ReadFiles): void {
  if (role === 'system' || role === 'developer')
    messages.push({ role: 'system', content: plainText(content) });
  else if (role === 'assistant') assistant(messages).content.push({ type: 'text', text: plainText(content) });
  else messages.push({ role: 'user', content: content.map((part) => userPart(part, files)) });
}

/** Consecutive outputs of the model are one assistant message. */
function assistant(messages: ModelMessage[]): AssistantMessage {
  const last = messages.at(-1);
  if (last?.role === 'assistant') return last;
  const message: AssistantMessage = { role: 'assistant', content: [] };
  messages.push(message);
  return message;
}

function userPart(part: ContentPart, files: ReadFiles): UserPart {
  switch (part.type) {
    case 'input_image': {
      const image = files(sourceOf(part), 'image');
      if (image === undefined) return absent(part);
      return { type: 'image', url: image.url, ...(part.detail ? { detail: part.detail } : {}) };
    }
    case 'input_file': {
      const file = files(sourceOf(part), 'file');
      if (file === undefined) return absent(part);
      return { type: 'file', url: file.url, filename: part.filename ?? file.filename };
    }
    case 'refusal':
      return { type: 'text', text: part.refusal };
    default:
      return { type: 'text', text: part.text };
  }
}

/** One of an earlier turn may be gone since. */
function absent(part: Parameters<typeof sourceOf>[0]): TextPart {
  const source = sourceOf(part);
  const which = 'id' in source ? ` ${source.id}` : hostIn(source.url);
  return { type: 'text', text: `[The file${which}, which is not at hand.]` };
}

const hostIn = (url: string): string => {
  const host = URL.parse(url)?.hostname;
  return host ? ` at ${host}` : '';
};

/** The text of content parts, as one. */
export const plainText = (content: ContentPart[]): string =>
  content.map((part) => ('text' in part ? part.text : part.type === 'refusal' ? part.refusal : '')).join('');

/** What is shown of it, else what was sealed for the caller to carry. */
function reasoningText(item: Extract<Item, { type: 'reasoning' }>, open: OpenSealed): string {
  const shown = plainText(item.content ?? item.summary);
  return shown !== '' || !item.encrypted_content ? shown : (open(item.encrypted_content) ?? '');
}
