import { posix } from 'node:path';
import { walkXml } from './xml.ts';
import type { Archive } from './zip.ts';

export interface Relationship {
  /** The last word of the kind it is of: `slide`, `worksheet`, `notesSlide`. */
  type: string;
  /** The part it leads to. */
  target: string;
}

/** The parts that a part of an Office document refers to, by the ids it does so with. */
export function relationshipsOf(archive: Archive, part: string): Map<string, Relationship> {
  const found = new Map<string, Relationship>();
  const bytes = archive.read(`${posix.dirname(part)}/_rels/${posix.basename(part)}.rels`);
  if (bytes === undefined) return found;
  walkXml(bytes, {
    open(name, { Id, Type, Target, TargetMode }) {
      if (name !== 'Relationship' || Id === undefined || Target === undefined || TargetMode === 'External')
        return;
      const target = Target.startsWith('/') ? Target.slice(1) : posix.join(posix.dirname(part), Target);
      found.set(Id, { type: posix.basename(Type ?? ''), target });
    },
  });
  return found;
}
