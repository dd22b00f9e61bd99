import type { Attributes } from '@opentelemetry/api';
import type { FilePart, ImagePart, ModelMessage } from '../models/model.ts';
import type { ResponseContent } from './sink.ts';

/** Of each attribute, in characters. */
const longestAttribute = 16_384;
/** Arguments of a call are told as an object up to here, beyond it as a text that can be cut. */
const longestObject = 2048;
const cut = '… [truncated]';

type Part = Record<string, unknown>;
interface Message {
  role: string;
  parts: Part[];
}

/** What was said, as JSON in the conventions' form. Of what is too long, the latest is kept. */
export function contentAttributes(
  { instructions, input, output }: ResponseContent,
  finishReason: string | undefined,
): Attributes {
  const parts = output.flatMap(messageParts);
  const answer = fitting([{ role: 'assistant', parts }]).map((message) => ({
    ...message,
    finish_reason: finishReason ?? 'error',
  }));
  return {
    ...(instructions === null || instructions === ''
      ? {}
      : {
          'gen_ai.system_instructions': JSON.stringify([
            { type: 'text', content: textAttribute(instructions) },
          ]),
        }),
    'gen_ai.input.messages': JSON.stringify(
      fitting(input.map((message) => ({ role: message.role, parts: messageParts(message) }))),
    ),
    'gen_ai.output.messages': JSON.stringify(answer),
  };
}

export const textAttribute = (text: string): string => clipped(text, longestAttribute);

const clipped = (text: string, length: number): string =>
  text.length <= length ? text : `${text.slice(0, length)}${cut}`;

function messageParts(message: ModelMessage): Part[] {
  if (message.role === 'system') return [{ type: 'text', content: message.content }];
  if (message.role === 'tool') {
    return [{ type: 'tool_call_response', id: message.callId, response: message.output }];
  }
  return message.content.map((part): Part => {
    if (part.type === 'text' || part.type === 'reasoning') return { type: part.type, content: part.text };
    if (part.type === 'tool_call') {
      return { type: 'tool_call', id: part.callId, name: part.name, arguments: objectOrText(part.arguments) };
    }
    return attachment(part);
  });
}

function objectOrText(text: string): unknown {
  if (text.length > longestObject) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Where it is; of bytes in the message itself, only what they are. */
function attachment({ type, url }: ImagePart | FilePart): Part {
  const modality = type === 'image' ? 'image' : 'document';
  const mime = /^data:([^;,]*)/.exec(url)?.[1];
  return mime === undefined
    ? { type: 'uri', modality, uri: url }
    : { type: 'attachment', modality, mime_type: mime };
}

const texts = new Set(['content', 'response', 'arguments', 'uri']);

/** The latest parts of the latest messages that fit together. */
function fitting(messages: Message[]): Message[] {
  const kept: Message[] = [];
  let left = longestAttribute;
  for (const { role, parts } of messages.toReversed()) {
    if (left <= 0) break;
    const fit: Part[] = [];
    for (const part of parts.toReversed()) {
      if (left <= 0) break;
      const short = Object.fromEntries(
        Object.entries(part).map(([name, value]) => [
          name,
          typeof value === 'string' && texts.has(name) ? clipped(value, left) : value,
        ]),
      );
      left -= JSON.stringify(short).length;
      fit.unshift(short);
    }
    kept.unshift({ role, parts: fit });
  }
  return kept;
}
