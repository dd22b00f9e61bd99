import type { GgufSettings } from '../../../config.ts';
import { ApiError, apiError } from '../../../errors.ts';
import type { ModelLog } from '../upstream.ts';
import {
  type ChatWrapper,
  type Llama,
  type LlamaEmbeddingContext,
  type LlamaModel,
  type LlamaSequence,
  loadNodeLlamaCpp,
  type NodeLlamaCpp,
} from './node-llama-cpp.ts';
import { createSlots, type Slots } from './slots.ts';

/** A model in memory, with what its calls share. */
export interface LoadedModel {
  deployment: string;
  log: ModelLog;
  package: NodeLlamaCpp;
  llama: Llama;
  model: LlamaModel;
  template: ChatWrapper;
  /** Tokens that one call may take, input and output together. */
  contextTokens: number;
  sequences: Slots<LlamaSequence>;
  /** Made for the first embeddings. */
  embedding(): Promise<Slots<LlamaEmbeddingContext>>;
}

export interface LoadOptions {
  deployment: string;
  settings: GgufSettings;
  /** Where `node-llama-cpp` is. */
  address: string;
  log: ModelLog;
}

/** Takes a while: the file is read, and the memory of every slot is set aside. */
export async function loadModel(options: LoadOptions): Promise<LoadedModel> {
  const { deployment, settings, log } = options;
  try {
    const started = performance.now();
    const loaded = await load(options);
    const milliseconds = Math.round(performance.now() - started);
    const { contextTokens } = loaded;
    log.info({ deployment, contextTokens, parallel: settings.parallel, milliseconds }, 'model loaded');
    return loaded;
  } catch (error) {
    if (error instanceof ApiError) throw error;
    log.warn({ deployment, file: settings.file, reason: String(error) }, 'the model could not be loaded');
    throw apiError(
      'model_error',
      `Deployment '${deployment}': its model cannot be loaded: ${reasonOf(error, settings.file)}. The server's log says more.`,
      { retry: false },
    );
  }
}

async function load({ deployment, settings, address, log }: LoadOptions): Promise<LoadedModel> {
  const library = await loadNodeLlamaCpp(address);
  const threads = settings.threads === null ? {} : { threads: settings.threads };
  const llama = await library.getLlama({
    build: 'never',
    skipDownload: true,
    progressLogs: false,
    ...(settings.threads === null ? {} : { maxThreads: settings.threads }),
    logger(level, message) {
      const isFault = level === 'error' || level === 'fatal';
      log[isFault ? 'warn' : 'debug']({ deployment }, `llama.cpp: ${message.trim()}`);
    },
  });
  try {
    const model = await llama.loadModel({ modelPath: settings.file });
    const contextSize = Math.min(settings.contextTokens ?? usualContextTokens, model.trainContextSize);
    const context = await model.createContext({ contextSize, sequences: settings.parallel, ...threads });
    const sequences = Array.from({ length: settings.parallel }, () => context.getSequence());
    let embedding: Promise<Slots<LlamaEmbeddingContext>> | undefined;
    return {
      deployment,
      log,
      package: library,
      llama,
      model,
      template: library.resolveChatWrapper(model),
      contextTokens: sequences[0]?.contextSize ?? contextSize,
      sequences: createSlots(sequences, settings.queue, deployment),
      embedding() {
        embedding ??= model
          .createEmbeddingContext({ contextSize, ...threads })
          .then((made) => createSlots([made], settings.queue, deployment));
        return embedding;
      },
    };
  } catch (error) {
    await llama.dispose();
    throw error;
  }
}

/** Where the configuration says nothing. What models were trained on may be more than the memory holds. */
const usualContextTokens = 8192;

/** Paths of the server are none of the caller's business. */
const reasonOf = (error: unknown, file: string): string =>
  (error instanceof Error ? error.message : String(error)).replaceAll(file, 'the file').slice(0, 200);
