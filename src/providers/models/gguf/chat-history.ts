import { invalidPayload, unsupportedParameter } from '../../../errors.ts';
import type { FilePart, ModelMessage, ToolCallPart } from '../model.ts';
import type { ChatFunctionCall, ChatItem, ChatResponsePart } from './node-llama-cpp.ts';

export interface HistoryOptions {
  deployment: string;
  /** Whether the chat template has a place for thoughts. */
  thoughts: boolean;
}

/** The messages in the terms of the model's chat template: a call and its output are parts of the model's turn. */
export function chatHistory(messages: ModelMessage[], options: HistoryOptions): ChatItem[] {
  const history: ChatItem[] = [];
  const calls = new Map<string, ChatFunctionCall>();
  for (const message of messages) {
    switch (message.role) {
      case 'system':
        history.push({ type: 'system', text: message.content });
        break;
      case 'user':
        history.push({ type: 'user', text: userText(message.content, options.deployment) });
        break;
      case 'assistant': {
        const turn = modelTurn(history);
        let startsNewChunk = true;
        for (const part of message.content) {
          if (part.type === 'text') turn.push(part.text);
          else if (part.type === 'tool_call') {
            const call = functionCall(part, startsNewChunk);
            startsNewChunk = false;
            calls.set(part.callId, call);
            turn.push(call);
          } else if (options.thoughts) {
            turn.push({ type: 'segment', segmentType: 'thought', text: part.text, ended: true });
          }
        }
        break;
      }
      case 'tool': {
        const call = calls.get(message.callId);
        if (call !== undefined) call.result = readable(message.output);
      }
    }
  }
  modelTurn(history);
  return history;
}

/** What the model's turn at the end holds so far; begins one where the last turn was another's. */
function modelTurn(history: ChatItem[]): ChatResponsePart[] {
  const last = history.at(-1);
  if (last?.type === 'model') return last.response;
  const response: ChatResponsePart[] = [];
  history.push({ type: 'model', response });
  return response;
}

function functionCall({ name, arguments: text }: ToolCallPart, startsNewChunk: boolean): ChatFunctionCall {
  return { type: 'functionCall', name, params: readable(text), result: undefined, startsNewChunk };
}

/** Templates write JSON, so that JSON in a text would come out quoted. */
function readable(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function userText(content: Extract<ModelMessage, { role: 'user' }>['content'], deployment: string): string {
  return content
    .map((part) => {
      if (part.type === 'text') return part.text;
      if (part.type === 'file') return documentText(part, deployment);
      throw unsupportedParameter('input', `Deployment '${deployment}' takes no images; leave them out.`);
    })
    .join('\n\n');
}

const textDocument = /^data:(?:text\/|application\/(?:json|xml|yaml)[;,])[^,]*,/i;

function documentText({ url, filename }: FilePart, deployment: string): string {
  const head = textDocument.exec(url)?.[0];
  if (head === undefined) {
    throw unsupportedParameter(
      'input',
      `Deployment '${deployment}' takes documents as text only, sent as data; not '${(filename ?? url).slice(0, 100)}'.`,
    );
  }
  const text = decoded(url.slice(head.length), head.endsWith(';base64,'));
  return filename === null ? text : `${filename}:\n\n${text}`;
}

function decoded(data: string, isBase64: boolean): string {
  if (isBase64) return Buffer.from(data, 'base64').toString('utf8');
  try {
    return decodeURIComponent(data);
  } catch {
    throw invalidPayload('input', 'A data URL of the input is not well-formed.');
  }
}
