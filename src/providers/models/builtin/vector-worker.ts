/** The thread that makes vectors of many texts, so that requests need not wait for them. */
import { giveWay } from '../../workers/give-way.ts';
import { answerCalls } from '../../workers/worker-calls.ts';
import { vectorOf } from './vectors.ts';

export type VectorCalls = typeof calls;

giveWay(false);
const calls = {
  /** One behind the other. */
  vectors({ inputs, dimensions }: { inputs: string[]; dimensions: number }): Float64Array {
    const all = new Float64Array(inputs.length * dimensions);
    for (const [at, input] of inputs.entries()) all.set(vectorOf(input, dimensions), at * dimensions);
    return all;
  },
};
answerCalls(calls, () => {});
