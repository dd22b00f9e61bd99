import { unsupportedParameter } from '../../../errors.ts';
import type { ModelOutputFormat, ModelRequest, ModelTool } from '../model.ts';
import { chatHistory } from './chat-history.ts';
import { type GrammarOfSchema, grammarSchema } from './grammar-schema.ts';
import type { ChatFunctions, ChatItem, ChatWrapper, GrammarSchema } from './node-llama-cpp.ts';

/** A request as the chat template and the grammars of a model take it. */
export interface ChatCall {
  history: ChatItem[];
  wrapper: ChatWrapper;
  /** What the text of the answer must match. */
  grammar: GrammarSchema | null;
  functions: ChatFunctions | null;
  /** The function whose arguments are the answer itself. */
  answerFunction: string | null;
}

type Countable = Pick<ModelRequest, 'messages' | 'tools' | 'outputFormat'>;

/** Throws `unsupported_parameter` for what neither template nor grammar can do. */
export function chatCall(
  {
    messages,
    tools,
    outputFormat,
    toolChoice = 'auto',
  }: Countable & Partial<Pick<ModelRequest, 'toolChoice'>>,
  template: ChatWrapper,
  deployment: string,
): ChatCall {
  const thoughts = template.settings.segments?.thought !== undefined;
  const history = chatHistory(messages, { deployment, thoughts });
  const format = grammarOfFormat(outputFormat, deployment);
  tellFormat(history, outputFormat);
  const plain = { history, wrapper: template, grammar: format, functions: null, answerFunction: null };
  const offered = offeredTools(tools, toolChoice);
  if (offered.length === 0) return plain;

  const functions: ChatFunctions = Object.fromEntries(offered.map((tool) => [tool.name, functionOf(tool)]));
  if (toolChoice !== 'auto') return { ...plain, grammar: null, functions, wrapper: callingAtOnce(template) };
  if (format === null) return { ...plain, functions };
  // A grammar for text leaves no room for calls, so that an answer in the format is made a call, too.
  const answerFunction = freeName('answer', functions);
  functions[answerFunction] = { description: 'Gives the final answer to the user.', params: format };
  return { history, wrapper: callingAtOnce(template), grammar: null, functions, answerFunction };
}

function offeredTools(tools: ModelTool[], choice: ModelRequest['toolChoice']): ModelTool[] {
  if (choice === 'none') return [];
  return typeof choice === 'string' ? tools : tools.filter(({ name }) => name === choice.name);
}

function functionOf({ name, description, parameters }: ModelTool): ChatFunctions[string] {
  const about = description === null ? {} : { description };
  if (takesNothing(parameters)) return about;
  return {
    ...about,
    params: grammarSchema({ type: 'object', ...parameters }, `tools.${name}.parameters`).schema,
  };
}

/** JSON Schema lets an object without properties have any, but nobody means that of a function. */
const takesNothing = ({ type = 'object', properties = {}, ...rest }: ModelTool['parameters']): boolean =>
  type === 'object' &&
  Object.keys(Object(properties)).length === 0 &&
  Object.keys(rest).every(
    (key) => /^(title|description|required|\$schema|strict)$/.test(key) || rest[key] === false,
  );

function grammarOfFormat(format: ModelOutputFormat, deployment: string): GrammarSchema | null {
  if (format.type === 'text') return null;
  if (format.type === 'json_object') return { type: 'object', additionalProperties: true };
  const { schema, unenforced }: GrammarOfSchema = grammarSchema(format.schema, 'text.format');
  if (format.strict && unenforced.length > 0) {
    throw unsupportedParameter(
      'text.format',
      `Deployment '${deployment}' cannot guarantee these parts of the JSON Schema: ${unenforced.slice(0, 10).join('; ')}. ` +
        'Leave them out, or set `strict` to false.',
    );
  }
  return schema;
}

/** Models write better JSON when they know what it is to be, however tightly the grammar holds them. */
function tellFormat(history: ChatItem[], format: ModelOutputFormat): void {
  if (format.type === 'text') return;
  const text =
    format.type === 'json_object'
      ? 'Answer with one JSON object and nothing else.'
      : [
          `Answer with JSON and nothing else: ${format.name}${format.description === null ? '' : `, ${format.description}`}.`,
          `It follows this JSON Schema: ${JSON.stringify(format.schema)}`,
        ].join('\n');
  const firstOther = history.findIndex(({ type }) => type !== 'system');
  history.splice(firstOther, 0, { type: 'system', text });
}

/** The template of a turn that begins with a call, and can't do otherwise. */
function callingAtOnce(template: ChatWrapper): ChatWrapper {
  return Object.create(template, {
    generateContextState: {
      value: (options: Parameters<ChatWrapper['generateContextState']>[0]) => {
        const { prefixTriggers, noPrefixTrigger, ...state } = template.generateContextState(options);
        return { ...state, functionCall: { initiallyEngaged: true, disengageInitiallyEngaged: [] } };
      },
    },
  });
}

function freeName(name: string, taken: object): string {
  return Object.hasOwn(taken, name) ? freeName(`${name}_`, taken) : name;
}
