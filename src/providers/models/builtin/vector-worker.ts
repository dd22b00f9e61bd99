/** The thread that makes vectors of many texts, so that requests need not wait for them. */
import { loadTokenizer, tokensIn } from '../../texts/tokenizer.ts';
import { giveWay } from '../../workers/give-way.ts';
import { answerCalls } from '../../workers/worker-calls.ts';
import { vectorOf } from './vectors.ts';

export type VectorCalls = typeof calls;

export interface VectorsOfTexts {
  all: Float64Array;
  inputTokens: number;
}

giveWay(false);
const tokenizer = await loadTokenizer();
const calls = {
  /** One behind the other, and how many tokens the inputs have. */
  vectors({ inputs, dimensions }: { inputs: string[]; dimensions: number }): VectorsOfTexts {
    const all = new Float64Array(inputs.length * dimensions);
    for (const [at, input] of inputs.entries()) all.set(vectorOf(input, dimensions), at * dimensions);
    const inputTokens = inputs.reduce((sum, input) => sum + tokensIn(input, tokenizer), 0);
    return { all, inputTokens };
  },
};
answerCalls(calls, () => {});
