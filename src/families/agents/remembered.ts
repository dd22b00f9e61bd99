import type { Agent } from './contract.ts';
import type { AgentStore } from './store.ts';

/** An agent and the JSON it is answered as. Shared between requests: not to be changed. */
export interface RememberedAgent {
  agent: Agent;
  json: string;
}

export type RememberedAgents = AgentStore & {
  findRemembered(project: string, name: string): Promise<RememberedAgent | undefined>;
  /** All of a project has changed. */
  forget(project: string): void;
};

const most = 1000;
/** Larger ones are read anew each time; it bounds the memory that all of them take. */
const longest = 65_536;

/**
 * The store with agents that were read lately kept in memory: nearly every request asks for one. Exact as long as
 * this process is the only one that writes.
 */
export function rememberAgents(store: AgentStore): RememberedAgents {
  const remembered = new Map<string, RememberedAgent>();
  let changes = 0;
  const keyOf = (project: string, name: string): string => `${project}/${name}`;
  const changing = async <T>(project: string, name: string, change: Promise<T>): Promise<T> => {
    try {
      return await change;
    } finally {
      changes++;
      remembered.delete(keyOf(project, name));
    }
  };
  const findRemembered = async (project: string, name: string): Promise<RememberedAgent | undefined> => {
    const key = keyOf(project, name);
    const known = remembered.get(key);
    if (known !== undefined) return known;
    const before = changes;
    const agent = await store.find(project, name);
    if (agent === undefined) return undefined;
    const entry = { agent, json: JSON.stringify(agent) };
    // What was read while something changed may be the state from before.
    if (before === changes && entry.json.length <= longest) {
      if (remembered.size >= most) remembered.delete(remembered.keys().next().value as string);
      remembered.set(key, entry);
    }
    return entry;
  };
  return {
    ...store,
    findRemembered,
    forget(project) {
      changes++;
      for (const key of [...remembered.keys()])
        if (key.startsWith(keyOf(project, ''))) remembered.delete(key);
    },
    find: async (project, name) => (await findRemembered(project, name))?.agent,
    addVersion: (project, name, ...rest) => changing(project, name, store.addVersion(project, name, ...rest)),
    set: (project, name, settings) => changing(project, name, store.set(project, name, settings)),
    change: (project, name, changes) => changing(project, name, store.change(project, name, changes)),
    delete: (project, name) => changing(project, name, store.delete(project, name)),
    deleteVersion: (project, name, version) =>
      changing(project, name, store.deleteVersion(project, name, version)),
  };
}
