import { invalidPayload } from '../../errors.ts';
import type { Sealer } from '../../trust/sealing.ts';
import type { Item } from './items.ts';

/** What clients carry for us: reasoning, and conversations cut short. */
export const reasoningSeal = 'reasoning';
export const compactionSeal = 'compaction';

/** Throws for sealed content that is not ours, is of another project, or was changed on its way. */
export function checkSeals(sealer: Sealer, project: string, input: Item[]): void {
  for (const [i, item] of input.entries()) {
    if (item.type !== 'reasoning' && item.type !== 'compaction') continue;
    const { encrypted_content: sealed } = item;
    if (typeof sealed !== 'string' || sealed === '') continue;
    const purpose = item.type === 'reasoning' ? reasoningSeal : compactionSeal;
    if (sealer.open(sealed, purpose, project) === null) {
      throw invalidPayload(
        `input[${i}].encrypted_content`,
        'The encrypted content was not made by this server for this project, or it was changed. Leave the item out.',
      );
    }
  }
}
