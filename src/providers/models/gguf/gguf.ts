import type { DeploymentConfig, GgufSettings } from '../../../config.ts';
import type { ModelEvent, ModelProvider, ModelRequest } from '../model.ts';
import type { ModelLog } from '../upstream.ts';
import { chatCall } from './chat-call.ts';
import { embed } from './embed.ts';
import { generate, refuseUnsupported } from './generate.ts';
import { type LoadedModel, loadModel } from './loaded-model.ts';
import { countPrompt } from './token-count.ts';

/** A deployment that runs a model file in this process. */
export interface GgufDeployment extends Pick<DeploymentConfig, 'name'> {
  gguf: GgufSettings;
}

/** A model that runs in this process; its file is read with the first call. `address` is where `node-llama-cpp` is. */
export function createGgufProvider(
  { name, gguf: settings }: GgufDeployment,
  address: string,
  log: ModelLog,
): Required<Omit<ModelProvider, 'forward' | 'documentTypes'>> {
  let loading: Promise<LoadedModel> | undefined;
  const model = (signal?: AbortSignal): Promise<LoadedModel> => {
    loading ??= loadModel({ deployment: name, settings, address, log }).catch((error) => {
      // The file may be put right meanwhile.
      loading = undefined;
      throw error;
    });
    return signal === undefined ? loading : unlessAborted(loading, signal);
  };
  async function* generateOnceLoaded(request: ModelRequest, signal: AbortSignal): AsyncGenerator<ModelEvent> {
    refuseUnsupported(request, name);
    yield* generate(await model(signal), request, signal);
  }
  return {
    generate: generateOnceLoaded,
    embed: async (request, signal) => embed(await model(signal), request, signal),
    async countTokens(request) {
      const loaded = await model();
      return countPrompt(loaded, chatCall(request, loaded.template, name));
    },
  };
}

/** What was begun goes on for the others that wait for it. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
