import type { ModelUsage } from '../../providers/models/model.ts';
import type { CitedSource, ReplayedCall } from '../../providers/tools/tool.ts';

/** How far a run has come, besides the items in its log. With both it can go on in another process. */
export interface Progress {
  usage: ModelUsage;
  turns: number;
  /** Server-side calls that were run. */
  toolCalls: number;
  /** How often a call was made with the very same arguments. */
  repeats: Record<string, number>;
  /** The highest of these counts. */
  mostRepeated: number;
  /** Calls that have been begun and are not known to have ended, by the id of their item. */
  pending: Record<
    string,
    { name: string; arguments: string; outputIndex: number; approvalRequestId?: string }
  >;
  /** What the model was told of server-side calls, by the id of their item. */
  outputs: Record<string, ReplayedCall>;
  /** What messages may refer to. */
  sources: CitedSource[];
  /** The last number that was given to a mark. */
  marks: number;
}

export const noProgress = (): Progress => ({
  usage: { inputTokens: 0, cachedInputTokens: 0, outputTokens: 0, reasoningTokens: 0 },
  turns: 0,
  toolCalls: 0,
  repeats: {},
  mostRepeated: 0,
  pending: {},
  outputs: {},
  sources: [],
  marks: 0,
});

export function addUsage(progress: Progress, usage: ModelUsage): void {
  const { usage: total } = progress;
  total.inputTokens += usage.inputTokens;
  total.cachedInputTokens += usage.cachedInputTokens;
  total.outputTokens += usage.outputTokens;
  total.reasoningTokens += usage.reasoningTokens;
}
