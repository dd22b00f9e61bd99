import { catalogue } from '../../../../errors.ts';
import {
  type failureCodes,
  type ScenarioEntry,
  ScenarioFile,
  type ScenarioReply,
} from '../../../../kit/scenario.ts';
import { ConfigError, type KeyPath, readYamlFile } from '../../../../yaml-file.ts';
import type { ModelMessage, ModelRequest } from '../../model.ts';
import { type Conversation, lastTurn, readableLength } from '../conversation.ts';

/** What to look for in a conversation, and what to reply when it is there. */
export interface Scenario {
  matches(request: ModelRequest, conversation: Conversation): boolean;
  reply: ScenarioReply;
}

export type FailureCode = (typeof failureCodes)[number];

/** The scenarios of a YAML file, in order. Throws a `ConfigError` that names each fault with its place in the file. */
export function loadScenarios(file: string): Scenario[] {
  const { content, fault } = readYamlFile<ScenarioFile>(file, ScenarioFile);
  const faults: string[] = [];
  const scenarios = readScenarios(content, (path, message) => void faults.push(fault(path, message)));
  if (faults.length > 0) throw new ConfigError(faults.slice(0, 10));
  return scenarios;
}

export type Tell = (path: KeyPath, message: string) => void;

/** The same of scenarios whose shape is right; tells what is wrong with them nevertheless. */
export function readScenarios({ scenarios }: ScenarioFile, tell: Tell): Scenario[] {
  return scenarios.map((entry, at) => {
    const about: Tell = (path, message) => tell(['scenarios', at, ...path], message);
    checkReply(entry.reply, about);
    return { matches: matcher(entry, about), reply: entry.reply };
  });
}

const contents = ['text', 'json', 'chunks', 'refusal'] as const;

function checkReply(reply: ScenarioReply, tell: Tell): void {
  const given = contents.filter((key) => reply[key] !== undefined);
  if (given.length > 1)
    tell(['reply', given[1] ?? ''], `cannot stand beside '${given[0]}'; give one of them`);
  if (given.length === 0 && reply.tool_calls === undefined && reply.fail === undefined) {
    tell(['reply'], 'needs one of text, json, chunks, refusal, tool_calls and fail');
  }
  if (reply.fail_after_chunks !== undefined && reply.fail === undefined) {
    tell(['reply', 'fail_after_chunks'], "has no meaning without 'fail'");
  }
  const { status, code, retry_after } = reply.fail ?? {};
  if (reply.fail === undefined) return;
  if (code === undefined && status === undefined) tell(['reply', 'fail'], "needs a 'status' or a 'code'");
  if (code === undefined && status === 400) {
    tell(['reply', 'fail'], "needs a 'code': context_length_exceeded or content_filter");
  }
  if (code !== undefined && status !== undefined && catalogue[code].status !== status) {
    tell(
      ['reply', 'fail', 'status'],
      `does not go with '${code}', which has status ${catalogue[code].status}`,
    );
  }
  if (retry_after !== undefined && ![429, 503].includes(catalogue[failureCode(reply.fail)].status)) {
    tell(['reply', 'fail', 'retry_after'], 'goes with rate_limit_exceeded and service_unavailable only');
  }
}

const codes: Record<number, FailureCode> = {
  429: 'rate_limit_exceeded',
  500: 'model_error',
  502: 'model_error',
  503: 'service_unavailable',
  504: 'service_unavailable',
};

/** The catalogue's code for a failure; that of its status where it names none. */
export const failureCode = (fail: NonNullable<ScenarioReply['fail']>): FailureCode =>
  fail.code ?? codes[fail.status ?? 502] ?? 'model_error';

function matcher({ when }: ScenarioEntry, tell: Tell): Scenario['matches'] {
  const { input, instructions, turn, tools, tool_output: output } = when ?? {};
  const inInput = finder(input, () => tell(['when', 'input'], notARegExp));
  const inInstructions = finder(instructions, () => tell(['when', 'instructions'], notARegExp));
  const inOutput =
    typeof output === 'string' ? finder(output, () => tell(['when', 'tool_output'], notARegExp)) : null;
  return (request, conversation) => {
    if (turn !== undefined && conversation.turns.length !== turn) return false;
    const outputs = lastOutputs(request.messages);
    if (inOutput !== null ? !outputs.some(inOutput) : outputs.length > 0 !== (output ?? false)) return false;
    if (tools?.some((name) => !request.tools.some((tool) => tool.name === name))) return false;
    return inInput(lastTurn(conversation)) && inInstructions(conversation.instructions);
  };
}

const notARegExp =
  'is not a regular expression; write `/pattern/` or `/pattern/i`, or a text without slashes around it';

/** `/pattern/i` as a regular expression, anything else as words in any case. */
function finder(wanted: string | undefined, tellFault: () => void): (text: string) => boolean {
  if (wanted === undefined) return () => true;
  const parts = /^\/(.+)\/([a-z]*)$/s.exec(wanted);
  if (parts === null) {
    const words = wanted.toLowerCase();
    return (text) => text.toLowerCase().includes(words);
  }
  try {
    const [, source = '', flags = ''] = parts;
    if (/[^imsu]/.test(flags)) throw new SyntaxError('flags');
    const pattern = new RegExp(source, flags);
    return (text) => pattern.test(text.slice(0, readableLength));
  } catch {
    tellFault();
    return () => false;
  }
}

/** What the tools have returned since the model last spoke. */
function lastOutputs(messages: ModelMessage[]): string[] {
  const outputs: string[] = [];
  for (let at = messages.length - 1; at >= 0; at--) {
    const message = messages[at];
    if (message?.role === 'system') continue;
    if (message?.role !== 'tool') break;
    outputs.push(message.output.slice(0, readableLength));
  }
  return outputs;
}
