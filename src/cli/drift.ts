import { breaks, type Drift, driftOf, told } from '../recordings/drift.ts';
import { readRecording } from '../recordings/recording.ts';
import { type Arguments, UsageError } from './arguments.ts';
import { exitCodes } from './exit-codes.ts';
import { plainText } from './plain-text.ts';

export async function drift({ values, words }: Arguments<'drift'>): Promise<number> {
  const [a, b] = words;
  if (a === undefined || b === undefined)
    throw new UsageError('Which recordings? bloomery drift A B', 'drift');
  const found = driftOf(await readRecording(a), await readRecording(b));
  const breaking = found.differences.filter(breaks).length;
  process.stdout.write(values.json ? `${JSON.stringify(asJson(found))}\n` : report(found, breaking));
  return breaking > 0 ? exitCodes.failure : exitCodes.ok;
}

const asJson = ({ differences, unpaired }: Drift): object => ({
  breaking: differences.some(breaks),
  differences: differences.map((one) => ({ ...one, breaking: breaks(one) })),
  unpaired,
});

function report({ differences, unpaired }: Drift, breaking: number): string {
  const lines = [
    ...differences.toSorted((a, b) => Number(breaks(b)) - Number(breaks(a))).map(told),
    ...unpaired.map(({ operation, a, b }) => `unpaired  ${operation}: ${count(a)} in A, ${count(b)} in B`),
    differences.length === 0
      ? `The answers ${unpaired.length > 0 ? 'that could be compared ' : ''}do not differ.`
      : `${differences.length} differences, ${breaking} of them breaking.`,
    ...missing(unpaired),
  ];
  return `${lines.map(plainText).join('\n')}\n`;
}

const count = (calls: number): string => (calls === 0 ? 'none' : String(calls));

function missing(unpaired: Drift['unpaired']): string[] {
  const [onlyA, onlyB] = [unpaired.filter(({ b }) => b === 0), unpaired.filter(({ a }) => a === 0)];
  if (onlyA.length + onlyB.length === 0) return [];
  return [
    `Operations that only one calls, and that were not compared: ${onlyA.length} in A, ${onlyB.length} in B.`,
  ];
}
