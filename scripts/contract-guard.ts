/**
 * `node scripts/contract-guard.ts` tells how the contract of this server differs from the last released one, and fails
 * where that breaks clients by the API's own rules. With `--release` it writes the present contract down as released.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { type Difference, rules } from '../src/kit/difference.ts';
import { openApiDocument } from '../src/openapi/document.ts';
import { compareContracts } from './contract/compare-contracts.ts';
import { type Contract, contractOf, contractText } from './contract/normal-form.ts';
import { openFamilies } from './open-families.ts';

export const releasedContractFile = new URL('../spec/released-contract.json', import.meta.url);

export async function presentContract(): Promise<Contract> {
  const opened = await openFamilies();
  const contract = contractOf(openApiDocument(opened.families, 'present'));
  await opened.close();
  return contract;
}

/** What several operations share is told once, by the first of them. */
export function report(differences: Difference[]): string[] {
  const placeOf = ({ at }: Difference): string => at.split(' · ').slice(1).join(' · ') || at;
  const groups = Map.groupBy(differences, (one) => `${one.rule} ${placeOf(one)} ${one.what}`);
  return [...groups.values()].map(([first, ...others]) => {
    const { rule, at, what } = first as Difference;
    const { breaking, text } = rules[rule];
    const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
    return `${breaking ? 'BREAKING' : 'additive'}  ${at}${more}: ${what}. Rule: ${text}.`;
  });
}

if (import.meta.main) {
  const present = await presentContract();
  if (process.argv.includes('--release')) {
    writeFileSync(releasedContractFile, contractText(present));
  } else {
    const differences = compareContracts(JSON.parse(readFileSync(releasedContractFile, 'utf8')), present);
    const breaking = differences.filter(({ rule }) => rules[rule].breaking);
    for (const line of report(differences)) process.stdout.write(`${line}\n`);
    if (breaking.length > 0) {
      process.stderr.write(
        `The contract breaks clients of the last release in ${breaking.length} places. Take the changes back, or release ` +
          'them on purpose with `node scripts/contract-guard.ts --release`.\n',
      );
      process.exitCode = 1;
    }
  }
}
