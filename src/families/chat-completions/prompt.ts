import { invalidPayload, missingParameter, notFound, unsupportedParameter } from '../../errors.ts';
import { filesAsGiven, type NamedFile, type ReadFiles } from '../../kit/named-files.ts';
import type { FilePart, ImagePart, ModelMessage, TextPart } from '../../providers/models/model.ts';
import type { AssistantMessage, Message, UserPart } from './messages.ts';
import { openCalls } from './open-calls.ts';
import { speakers } from './speakers.ts';
import { wrapFreeText } from './tools.ts';

type ModelPart = TextPart | ImagePart | FilePart;
type AssistantContent = Extract<ModelMessage, { role: 'assistant' }>['content'];

/** The messages of a model call. Throws where a tool call lacks its answer, or an answer its call. */
export function promptMessages(messages: Message[], files: ReadFiles = filesAsGiven): ModelMessage[] {
  const calls = openCalls();
  const spokenBy = speakers(messages);
  const prompt = messages.map((message, i): ModelMessage => {
    const target = `messages[${i}]`;
    if (message.role === 'tool') {
      const { tool_call_id: callId } = message;
      const name = calls.answer(callId, `${target}.tool_call_id`);
      return { role: 'tool', callId, name, output: plainText(message.content) };
    }
    if (message.role === 'function') {
      const callId = calls.answerByName(message.name, `${target}.name`);
      return { role: 'tool', callId, name: message.name, output: message.content ?? '' };
    }
    calls.assertNone();
    const speaker = spokenBy(message);
    switch (message.role) {
      case 'user':
        return { role: 'user', content: withSpeaker(speaker, userContent(message.content, target, files)) };
      case 'assistant': {
        const content = assistantContent(message, target);
        for (const [at, part] of content.entries()) {
          if (part.type === 'tool_call') calls.add(part.callId, part.name, `${target}.tool_calls`);
          else if (at === 0) part.text = speaker + part.text;
        }
        return { role: 'assistant', content };
      }
      default:
        return { role: 'system', content: speaker + plainText(message.content) };
    }
  });
  calls.assertNone();
  return prompt;
}

function withSpeaker(speaker: string, content: ModelPart[]): ModelPart[] {
  const [first, ...rest] = content;
  if (speaker === '') return content;
  if (first?.type === 'text') return [{ type: 'text', text: speaker + first.text }, ...rest];
  return [{ type: 'text', text: speaker }, ...content];
}

const plainText = (content: string | { text: string }[]): string =>
  typeof content === 'string' ? content : content.map(({ text }) => text).join('');

const userContent = (content: string | UserPart[], target: string, files: ReadFiles): ModelPart[] =>
  typeof content === 'string'
    ? [{ type: 'text', text: content }]
    : content.map((part, i) => userPart(part, `${target}.content[${i}]`, files));

function userPart(part: UserPart, target: string, files: ReadFiles): ModelPart {
  switch (part.type) {
    case 'text':
      return { type: 'text', text: part.text };
    case 'image_url': {
      const { url, detail } = part.image_url;
      if (!isImageUrl(url)) {
        throw invalidPayload(
          `${target}.image_url.url`,
          'An image is given as a data: URL of an image type, or as an https: URL.',
        );
      }
      const image = files({ url }, 'image') ?? { url };
      return { type: 'image', url: image.url, ...(detail ? { detail } : {}) };
    }
    case 'file':
      return filePart(part.file, `${target}.file`, files);
    case 'input_audio':
      throw unsupportedParameter(
        `${target}.input_audio`,
        "Content parts of type 'input_audio' can't be honoured: the model providers here take text, images and files.",
      );
  }
}

const isImageUrl = (url: string): boolean => /^(data:image\/|https?:\/\/)/i.test(url);
const isDataUrl = (url: string): boolean => /^data:/i.test(url);

/** The files that messages name or carry. What has not the form of one is refused later. */
export const namedFiles = (messages: Message[]): NamedFile[] =>
  messages.flatMap((message, i) =>
    message.role !== 'user' || typeof message.content === 'string'
      ? []
      : message.content.flatMap((part, at) => namedIn(part, `messages[${i}].content[${at}]`)),
  );

function namedIn(part: UserPart, place: string): NamedFile[] {
  if (part.type === 'image_url') {
    const { url } = part.image_url;
    return isImageUrl(url) ? [{ source: { url }, as: 'image', target: `${place}.image_url.url` }] : [];
  }
  if (part.type !== 'file') return [];
  const { file_data: data, file_id: id, filename = null } = part.file;
  if (data) {
    const target = `${place}.file.file_data`;
    return isDataUrl(data) ? [{ source: { url: data }, as: 'file', filename, target }] : [];
  }
  return id ? [{ source: { id }, as: 'file', target: `${place}.file.file_id` }] : [];
}

function filePart(
  file: Extract<UserPart, { type: 'file' }>['file'],
  target: string,
  files: ReadFiles,
): FilePart {
  const { file_data: data, file_id: id } = file;
  if (data && !isDataUrl(data)) {
    throw invalidPayload(
      `${target}.file_data`,
      "'file_data' must be a data: URL, such as data:application/pdf;base64,….",
    );
  }
  if (!data && !id) throw missingParameter(`${target}.file_data`);
  const read = files(data ? { url: data } : { id: String(id) }, 'file');
  if (read === undefined) throw notFound('file', String(id).slice(0, 128), `${target}.file_id`);
  return { type: 'file', url: read.url, filename: file.filename ?? read.filename };
}

function assistantContent(message: AssistantMessage, target: string): AssistantContent {
  if (message.audio) {
    throw unsupportedParameter(
      `${target}.audio`,
      "Earlier audio answers can't be referred to here; send text.",
    );
  }
  const text = assistantText(message);
  const content: AssistantContent = text === '' ? [] : [{ type: 'text', text }];
  for (const call of message.tool_calls ?? []) {
    content.push(
      call.type === 'function'
        ? { type: 'tool_call', callId: call.id, name: call.function.name, arguments: call.function.arguments }
        : {
            type: 'tool_call',
            callId: call.id,
            name: call.custom.name,
            arguments: wrapFreeText(call.custom.input),
          },
    );
  }
  if (message.function_call) {
    const { name, arguments: json } = message.function_call;
    content.push({ type: 'tool_call', callId: functionCallId(target), name, arguments: json });
  }
  if (content.length > 0) return content;
  if (message.content === undefined || message.content === null) {
    throw missingParameter(
      `${target}.content`,
      "An assistant message needs 'content' unless it has a 'refusal' or 'tool_calls'.",
    );
  }
  return [{ type: 'text', text: '' }];
}

const assistantText = ({ content, refusal }: AssistantMessage): string => {
  const said =
    typeof content === 'string'
      ? content
      : (content ?? []).map((part) => (part.type === 'text' ? part.text : part.refusal)).join('');
  return said + (refusal ?? '');
};

/** Deprecated function calls have no ids of their own. */
const functionCallId = (target: string): string => `call_${target.replace(/\D+/g, '')}`;
