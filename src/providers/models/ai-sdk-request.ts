import type {
  LanguageModelV4CallOptions,
  LanguageModelV4FilePart,
  LanguageModelV4FunctionTool,
  LanguageModelV4Message,
  LanguageModelV4TextPart,
  LanguageModelV4ToolChoice,
} from '@ai-sdk/provider';
import { invalidPayload } from '../../errors.ts';
import { isRecord } from '../../kit/record.ts';
import type {
  FilePart,
  ImagePart,
  ModelMessage,
  ModelOutputFormat,
  ModelRequest,
  ModelTool,
  ModelToolChoice,
} from './model.ts';

/** Options only the one provider package knows, by its own key. */
export type ProviderOptions = NonNullable<LanguageModelV4CallOptions['providerOptions']>;

/** Our request in the terms of the AI SDK's language model interface. */
export function callOptions(
  request: ModelRequest,
  providerOptions: ProviderOptions,
): LanguageModelV4CallOptions {
  const options: LanguageModelV4CallOptions = { prompt: request.messages.map(message), providerOptions };
  if (request.maxOutputTokens !== null) options.maxOutputTokens = request.maxOutputTokens;
  if (request.temperature !== null) options.temperature = request.temperature;
  if (request.topP !== null) options.topP = request.topP;
  if (request.presencePenalty !== null) options.presencePenalty = request.presencePenalty;
  if (request.frequencyPenalty !== null) options.frequencyPenalty = request.frequencyPenalty;
  if (request.seed !== null) options.seed = request.seed;
  if (request.stop.length > 0) options.stopSequences = request.stop;
  if (request.outputFormat.type !== 'text') options.responseFormat = responseFormat(request.outputFormat);
  if (request.tools.length > 0) {
    options.tools = request.tools.map(tool);
    options.toolChoice = toolChoice(request.toolChoice);
  }
  return options;
}

function message(from: ModelMessage): LanguageModelV4Message {
  switch (from.role) {
    case 'system':
      return from;
    case 'user':
      return {
        role: 'user',
        content: from.content.map((part) => (part.type === 'text' ? part : media(part))),
      };
    case 'assistant':
      return {
        role: 'assistant',
        content: from.content.map((part) =>
          part.type === 'tool_call'
            ? {
                type: 'tool-call',
                toolCallId: part.callId,
                toolName: part.name,
                input: argumentsOf(part.arguments),
              }
            : part,
        ),
      };
    case 'tool':
      return {
        role: 'tool',
        content: [
          {
            type: 'tool-result',
            toolCallId: from.callId,
            toolName: from.name,
            output: { type: 'text', value: from.output },
          },
        ],
      };
  }
}

/** Upstreams take objects only; the free text of a custom tool travels in one. */
function argumentsOf(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    if (isRecord(value)) return value;
  } catch {
    if (text.trim() === '') return {};
  }
  return { input: text };
}

function media(part: ImagePart | FilePart): LanguageModelV4FilePart | LanguageModelV4TextPart {
  const data = part.url.startsWith('data:') ? dataUrl(part.url) : null;
  if (part.type === 'image') return image(part, data);
  if (data !== null && /^(text\/|application\/(json|xml|yaml)$)/.test(data.mediaType)) {
    const text = Buffer.from(data.base64, 'base64').toString('utf8');
    return { type: 'text', text: part.filename === null ? text : `${part.filename}:\n\n${text}` };
  }
  const file: LanguageModelV4FilePart = {
    type: 'file',
    mediaType: data?.mediaType ?? 'application/pdf',
    data: data === null ? { type: 'url', url: webUrl(part.url) } : { type: 'data', data: data.base64 },
  };
  if (part.filename !== null) file.filename = part.filename;
  return file;
}

function image(part: ImagePart, data: DataUrl | null): LanguageModelV4FilePart {
  const file: LanguageModelV4FilePart = {
    type: 'file',
    mediaType: data?.mediaType ?? 'image/*',
    data: data === null ? { type: 'url', url: webUrl(part.url) } : { type: 'data', data: data.base64 },
  };
  if (data !== null && !data.mediaType.startsWith('image/')) {
    throw invalidPayload('input', `An input image must be an image, not ${data.mediaType.slice(0, 100)}.`);
  }
  if (part.detail !== undefined && part.detail !== 'auto') {
    file.providerOptions = {
      openai: { imageDetail: part.detail },
      openaiCompatible: { image_url: { url: part.url, detail: part.detail } },
    };
  }
  return file;
}

interface DataUrl {
  mediaType: string;
  base64: string;
}

function dataUrl(url: string): DataUrl {
  const comma = url.indexOf(',');
  const [mediaType = '', ...parameters] = url.slice('data:'.length, Math.max(comma, 0)).split(';');
  if (comma < 0)
    throw invalidPayload(
      'input',
      'A data URL of the input has no data: it needs a comma after its media type.',
    );
  const body = url.slice(comma + 1);
  if (parameters.includes('base64'))
    return { mediaType: mediaType.toLowerCase() || 'text/plain', base64: body };
  try {
    const base64 = Buffer.from(decodeURIComponent(body), 'utf8').toString('base64');
    return { mediaType: mediaType.toLowerCase() || 'text/plain', base64 };
  } catch {
    throw invalidPayload('input', 'A data URL of the input is not well-formed.');
  }
}

function webUrl(url: string): URL {
  const parsed = URL.parse(url);
  if (parsed === null || !/^https?:$/.test(parsed.protocol)) {
    throw invalidPayload('input', 'A URL of the input must be an https: or a data: URL.');
  }
  return parsed;
}

function responseFormat(
  format: Exclude<ModelOutputFormat, { type: 'text' }>,
): NonNullable<LanguageModelV4CallOptions['responseFormat']> {
  if (format.type === 'json_object') return { type: 'json' };
  const { name, description, schema } = format;
  return { type: 'json', name, schema, ...(description === null ? {} : { description }) };
}

function tool(from: ModelTool): LanguageModelV4FunctionTool {
  return {
    type: 'function',
    name: from.name,
    inputSchema: from.parameters,
    ...(from.description === null ? {} : { description: from.description }),
    ...(from.strict === null ? {} : { strict: from.strict }),
  };
}

function toolChoice(choice: ModelToolChoice): LanguageModelV4ToolChoice {
  return typeof choice === 'string' ? { type: choice } : { type: 'tool', toolName: choice.name };
}
