import type { ModelProvider } from '../model.ts';
import { countRequestTokens } from '../token-count.ts';
import { embed } from './embeddings.ts';
import { generate } from './generate.ts';
import type { Scenario } from './scenarios/scenario.ts';

export { loadScenarios, type Scenario } from './scenarios/scenario.ts';

/** The model that needs no model server: deterministic, obedient and small. Scenarios come before its own replies. */
export function createBuiltinModel({
  scenarios,
}: {
  scenarios: Scenario[];
}): Required<Omit<ModelProvider, 'forward' | 'documentTypes'>> {
  return {
    generate: (request, signal) => generate(scenarios, request, signal),
    embed,
    countTokens: countRequestTokens,
  };
}
