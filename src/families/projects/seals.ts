import { conflict } from '../../errors.ts';
import { newId } from '../../kit/ids.ts';
import type { Database } from '../../storage/database.ts';
import type { Sealer } from '../../trust/sealing.ts';
import { projectStore } from './store.ts';

/**
 * What is sealed is bound to a name that only one project has, ever: another one of the same name, made after it was
 * deleted, opens nothing of it. A fork has a name of its own, and opens what was sealed for its origin as well.
 */
export const newSeal = (): string => newId('seal');

/** Origins of origins that a fork goes on opening. */
export const mostInherited = 50;

/** Throws where there would be more of them than a fork may have: it could not open all that it has. */
export function forkedSeals(origin: readonly string[]): string[] {
  if (origin.length > mostInherited) {
    throw conflict(
      `This would be a fork of a fork, more than ${mostInherited} deep, which could not read the secrets of the first one's connections. Fork an earlier one of them, or export it and import the archive.`,
      'name',
    );
  }
  return [newSeal(), ...origin];
}

/** Seals with what `sealsOf` says of a project instead of its name. */
export function projectSealer(sealer: Sealer, sealsOf: (project: string) => readonly string[]): Sealer {
  return {
    seal: (text, purpose, project) => sealer.seal(text, purpose, sealsOf(project)[0] ?? project),
    open(sealed, purpose, project) {
      for (const name of sealsOf(project)) {
        const text = sealer.open(sealed, purpose, name);
        if (text !== null) return text;
      }
      return null;
    },
  };
}

/** The same of a directory that no server uses. */
export async function storedProjectSealer(database: Database, sealer: Sealer): Promise<Sealer> {
  const rows = await projectStore(database).all();
  const seals = new Map(rows.map(({ name, seals: list }) => [name, JSON.parse(list) as string[]]));
  return projectSealer(sealer, (project) => seals.get(project) ?? [project]);
}
