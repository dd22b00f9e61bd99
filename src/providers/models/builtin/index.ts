import type { ModelProvider } from '../model.ts';
import { countRequestTokens } from '../token-count.ts';
import { embed } from './embeddings.ts';
import { generate } from './generate.ts';
import type { Scenario } from './scenarios/scenario.ts';

export { loadScenarios, type Scenario } from './scenarios/scenario.ts';

/**
 * The model that needs no model server: deterministic, obedient and small. Scenarios come before its own replies, and
 * those of the caller's project before the ones that are for all.
 */
export function createBuiltinModel({
  scenarios,
  ofProject = () => [],
}: {
  scenarios: readonly Scenario[];
  ofProject?: ((project: string) => readonly Scenario[]) | undefined;
}): Required<Omit<ModelProvider, 'forward' | 'documentTypes'>> {
  return {
    generate(request, signal, caller) {
      const own = caller === undefined ? [] : ofProject(caller.project);
      return generate(own.length === 0 ? scenarios : [...own, ...scenarios], request, signal);
    },
    embed,
    countTokens: countRequestTokens,
  };
}
