import type { ReplayedCall } from './tool.ts';

/** Replays a call whose outcome is an item of its own, as most of Foundry's tools have it. */
export function replayPair(
  item: Record<string, unknown>,
  output: Record<string, unknown> | null,
): ReplayedCall | null {
  if (output === null) return null;
  return { name: String(item.name), arguments: String(item.arguments), output: told(output.output) };
}

/** Foundry's items wrap what an API answered as `{"response": TEXT}`. */
function told(output: unknown): string {
  if (typeof output !== 'string') return JSON.stringify(output ?? null);
  if (!output.startsWith('{"response":')) return output;
  try {
    const { response } = JSON.parse(output) as { response?: unknown };
    return typeof response === 'string' ? response : output;
  } catch {
    return output;
  }
}
