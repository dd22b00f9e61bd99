import type { FilePart, ImagePart, ModelMessage, ToolCallPart } from '../model.ts';

/** A request's messages, read the way the builtin model needs them. */
export interface Conversation {
  instructions: string;
  /** What the user wrote, oldest first; the last is to be answered. */
  turns: string[];
  /** Images and files of the last turn. */
  attachments: (ImagePart | FilePart)[];
  /** Tool calls made since the last turn, and what they returned. */
  calls: ToolCallPart[];
  outputs: ToolOutput[];
}

export interface ToolOutput {
  name: string;
  output: string;
}

/** Longer texts are read up to here; it bounds the time that looking for things in them takes. */
export const readableLength = 16_000;

export function readConversation(messages: ModelMessage[]): Conversation {
  const read: Conversation = { instructions: '', turns: [], attachments: [], calls: [], outputs: [] };
  for (const message of messages) {
    if (message.role === 'user') addTurn(read, message.content);
    else if (message.role === 'tool') {
      read.outputs.push({ name: message.name, output: clip(message.output) });
    } else if (message.role === 'assistant') {
      for (const part of message.content) if (part.type === 'tool_call') read.calls.push(part);
    } else if (read.instructions.length < readableLength) {
      read.instructions =
        read.instructions === '' ? clip(message.content) : clip(`${read.instructions}\n${message.content}`);
    }
  }
  return read;
}

/** An empty message says nothing new: what came before it is still to be answered. */
function addTurn(read: Conversation, content: Extract<ModelMessage, { role: 'user' }>['content']): void {
  let text = '';
  const attachments: (ImagePart | FilePart)[] = [];
  for (const part of content) {
    if (part.type !== 'text') attachments.push(part);
    else text = text === '' ? part.text : `${text}\n${part.text}`;
  }
  text = clip(text).trim();
  if (text === '' && attachments.length === 0) return;
  read.turns.push(text);
  read.attachments = attachments;
  read.calls = [];
  read.outputs = [];
}

export const lastTurn = (conversation: Conversation): string => conversation.turns.at(-1) ?? '';

const clip = (text: string): string => (text.length > readableLength ? text.slice(0, readableLength) : text);
