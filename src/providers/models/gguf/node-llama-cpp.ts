import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ConfigError } from '../../../yaml-file.ts';

/** The part of `node-llama-cpp` 3 that is used here. The package is the operator's to install, so its types are not at hand. */
export interface NodeLlamaCpp {
  getLlama(options: {
    build: 'never';
    skipDownload: boolean;
    progressLogs: boolean;
    maxThreads?: number;
    logger(level: string, message: string): void;
  }): Promise<Llama>;
  LlamaChat: new (options: { contextSequence: LlamaSequence; chatWrapper: ChatWrapper }) => LlamaChat;
  resolveChatWrapper(model: LlamaModel): ChatWrapper;
}

export interface Llama {
  loadModel(options: { modelPath: string }): Promise<LlamaModel>;
  createGrammarForJsonSchema(schema: GrammarSchema): Promise<LlamaGrammar>;
  dispose(): Promise<void>;
}

export interface LlamaModel {
  readonly tokenizer: unknown;
  readonly trainContextSize: number;
  tokenize(text: string): Token[];
  createContext(options: LlamaContextOptions & { sequences: number }): Promise<LlamaContext>;
  createEmbeddingContext(options: LlamaContextOptions): Promise<LlamaEmbeddingContext>;
}

export interface LlamaContextOptions {
  contextSize: number;
  threads?: number;
}

export interface LlamaContext {
  readonly contextSize: number;
  getSequence(): LlamaSequence;
}

export interface LlamaEmbeddingContext {
  calculateInputLength(text: string): number;
  getEmbeddingFor(text: string): Promise<{ readonly vector: readonly number[] }>;
}

export interface LlamaSequence {
  /** Tokens that one conversation may hold. */
  readonly contextSize: number;
  /** How many tokens are evaluated and kept. */
  readonly nextTokenIndex: number;
  readonly tokenMeter: { readonly usedOutputTokens: number };
  compareContextTokens(tokens: Token[]): { firstDifferentIndex: number };
  /** Forgets what comes after the common beginning. */
  adaptStateToTokens(tokens: Token[], allowShift: boolean): Promise<void>;
  evaluateWithoutGeneratingNewTokens(tokens: Token[]): Promise<void>;
}

export type Token = number & { readonly __token?: never };

export interface LlamaGrammar {
  readonly grammar: string;
}

/** The JSON Schemas that grammars are made of: every property of an object is required. */
export type GrammarSchema = Record<string, unknown>;

export interface LlamaText {
  tokenize(tokenizer: unknown): Token[];
}

/** The chat template of a model. */
export interface ChatWrapper {
  readonly settings: { readonly segments?: { readonly thought?: unknown } };
  generateContextState(options: ContextStateOptions): ContextState;
}

export interface ContextStateOptions {
  chatHistory: ChatItem[];
  availableFunctions?: ChatFunctions;
}

export interface ContextState {
  contextText: LlamaText;
  functionCall?: { initiallyEngaged: boolean; disengageInitiallyEngaged: unknown[] };
  prefixTriggers?: unknown[];
  noPrefixTrigger?: unknown;
}

export type ChatItem =
  | { type: 'system'; text: string }
  | { type: 'user'; text: string }
  | { type: 'model'; response: ChatResponsePart[] };

export type ChatResponsePart = string | ChatFunctionCall | ChatSegment;

export interface ChatFunctionCall {
  type: 'functionCall';
  name: string;
  params: unknown;
  result: unknown;
  startsNewChunk: boolean;
}

export interface ChatSegment {
  type: 'segment';
  segmentType: 'thought' | 'comment';
  text: string;
  ended: boolean;
}

export type ChatFunctions = Record<string, { description?: string; params?: GrammarSchema }>;

export interface LlamaChat {
  generateResponse(
    history: ChatItem[],
    options: ResponseOptions,
  ): Promise<{ metadata: { stopReason: StopReason } }>;
  dispose(): void;
}

export type StopReason =
  | 'eogToken'
  | 'stopGenerationTrigger'
  | 'customStopTrigger'
  | 'functionCalls'
  | 'maxTokens'
  | 'abort';

export interface ResponseOptions {
  signal: AbortSignal;
  maxTokens: number;
  temperature: number;
  topP: number;
  topK: number;
  minP: number;
  seed: number;
  repeatPenalty:
    | false
    | {
        lastTokens: number;
        penalizeNewLine: boolean;
        penalty: number;
        frequencyPenalty: number;
        presencePenalty: number;
      };
  customStopTriggers: string[];
  budgets?: { thoughtTokens: number };
  contextShift: { size: number; strategy(): { chatHistory: ChatItem[] } };
  grammar?: LlamaGrammar;
  functions?: ChatFunctions;
  maxParallelFunctionCalls?: number;
  onResponseChunk(chunk: ResponseChunk): void;
  onFunctionCallParamsChunk?(chunk: { callIndex: number; functionName: string; paramsChunk: string }): void;
  onFunctionCall?(call: { functionName: string }): void;
}

export interface ResponseChunk {
  segmentType?: 'thought' | 'comment' | undefined;
  text: string;
  tokens: Token[];
}

const packageName = 'node-llama-cpp';

/** The address of the package, installed next to Bloomery or where it was started. Throws a `ConfigError` that says what to install. */
export function locateNodeLlamaCpp(deployment: string): string {
  const found = locatePackage(packageName, [import.meta.dirname, process.cwd()]);
  if (found !== null) return found;
  throw new ConfigError([
    `deployment '${deployment}': provider 'gguf' needs the package ${packageName}, which is not installed. ` +
      `Run \`npm install ${packageName}@3\` in ${process.cwd()}, or where Bloomery is installed, and start again.`,
  ]);
}

/** Where `import` finds a package, seen from the first of the directories that has it; null when none has. */
export function locatePackage(name: string, directories: string[]): string | null {
  for (const directory of directories) {
    try {
      return pathToFileURL(createRequire(join(directory, 'from-here.js')).resolve(name)).href;
    } catch {
      // The next directory may have it.
    }
  }
  return null;
}

export const loadNodeLlamaCpp = async (address: string): Promise<NodeLlamaCpp> => import(address);
