import { unsupportedParameter } from '../../errors.ts';
import type { FilePart, ImagePart, ModelMessage, TextPart } from '../../providers/models/model.ts';
import type { ContentPart, Item } from './items.ts';

type AssistantMessage = Extract<ModelMessage, { role: 'assistant' }>;
type UserPart = TextPart | ImagePart | FilePart;

/** Turns instructions and items into the messages of a model call. */
export function promptMessages(instructions: string | null, items: Item[]): ModelMessage[] {
  const messages: ModelMessage[] = [];
  if (instructions !== null && instructions !== '') messages.push({ role: 'system', content: instructions });
  const names = new Map<string, string>();
  for (const item of items) addItem(messages, item, names);
  return messages;
}

function addItem(messages: ModelMessage[], item: Item, names: Map<string, string>): void {
  switch (item.type) {
    case 'message':
      addMessage(messages, item.role, item.content);
      return;
    case 'function_call':
      names.set(item.call_id, item.name);
      assistant(messages).content.push({
        type: 'tool_call',
        callId: item.call_id,
        name: item.name,
        arguments: item.arguments,
      });
      return;
    case 'custom_tool_call':
      names.set(item.call_id, item.name);
      assistant(messages).content.push({
        type: 'tool_call',
        callId: item.call_id,
        name: item.name,
        arguments: JSON.stringify({ input: item.input }),
      });
      return;
    case 'function_call_output':
    case 'custom_tool_call_output':
      messages.push({
        role: 'tool',
        callId: item.call_id,
        name: names.get(item.call_id) ?? '',
        output: typeof item.output === 'string' ? item.output : plainText(item.output),
      });
      return;
    case 'reasoning': {
      const text = reasoningText(item);
      if (text !== '') assistant(messages).content.push({ type: 'reasoning', text });
    }
  }
}

function addMessage(messages: ModelMessage[], role: string, content: ContentPart[]): void {
  if (role === 'system' || role === 'developer')
    messages.push({ role: 'system', content: plainText(content) });
  else if (role === 'assistant') assistant(messages).content.push({ type: 'text', text: plainText(content) });
  else messages.push({ role: 'user', content: content.map(userPart) });
}

/** Consecutive outputs of the model are one assistant message. */
function assistant(messages: ModelMessage[]): AssistantMessage {
  const last = messages.at(-1);
  if (last?.role === 'assistant') return last;
  const message: AssistantMessage = { role: 'assistant', content: [] };
  messages.push(message);
  return message;
}

function userPart(part: ContentPart): UserPart {
  switch (part.type) {
    case 'input_image':
      return {
        type: 'image',
        url: withoutFileId(part.image_url, part.file_id),
        ...(part.detail ? { detail: part.detail } : {}),
      };
    case 'input_file':
      return {
        type: 'file',
        url: withoutFileId(part.file_data ?? part.file_url, part.file_id),
        filename: part.filename ?? null,
      };
    case 'refusal':
      return { type: 'text', text: part.refusal };
    default:
      return { type: 'text', text: part.text };
  }
}

function withoutFileId(url: string | null | undefined, fileId: string | null | undefined): string {
  if (url) return url;
  throw unsupportedParameter(
    'input',
    `The file '${fileId}' can't be used: files are not served yet. Send the content as a data URL.`,
  );
}

/** The text of content parts, as one. */
export const plainText = (content: ContentPart[]): string =>
  content.map((part) => ('text' in part ? part.text : part.type === 'refusal' ? part.refusal : '')).join('');

function reasoningText(item: Extract<Item, { type: 'reasoning' }>): string {
  const shown = plainText(item.content ?? item.summary);
  return shown !== '' || !item.encrypted_content ? shown : openReasoning(item.encrypted_content);
}

const sealPrefix = 'bloomery.';

/**
 * `reasoning.encrypted_content` lets stateless clients hand reasoning back. It hides nothing here, since the same
 * text stands in the summary; it is opaque so that clients treat it as the contract says.
 */
export const sealReasoning = (text: string): string => sealPrefix + Buffer.from(text).toString('base64url');

const openReasoning = (sealed: string): string =>
  sealed.startsWith(sealPrefix) ? Buffer.from(sealed.slice(sealPrefix.length), 'base64url').toString() : '';
