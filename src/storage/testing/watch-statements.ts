import { StatementSync } from 'node:sqlite';

export interface WatchedStatements {
  /** The text of those that were run since the last look, in their order. */
  taken(): string[];
  close(): void;
}

/** Notes every statement of this process, of whichever database. */
export function watchStatements(): WatchedStatements {
  const { run, all } = StatementSync.prototype;
  let seen: string[] = [];
  StatementSync.prototype.run = function (this: StatementSync, ...given: unknown[]) {
    seen.push(this.sourceSQL);
    return run.apply(this, given as Parameters<typeof run>);
  } as typeof run;
  StatementSync.prototype.all = function (this: StatementSync, ...given: unknown[]) {
    seen.push(this.sourceSQL);
    return all.apply(this, given as Parameters<typeof all>);
  } as typeof all;
  return {
    taken: () => {
      const statements = seen;
      seen = [];
      return statements;
    },
    close: () => Object.assign(StatementSync.prototype, { run, all }),
  };
}
