/** Members of tool definitions that nobody but the tool may see. */
const secretMembers = ['authorization', 'headers'] as const;

export type ToolSecrets = Partial<Record<(typeof secretMembers)[number], unknown>>;

/** A definition as anybody may see it. */
export function withoutSecrets<T extends object>(tool: T): Omit<T, keyof ToolSecrets> {
  const shown: T & ToolSecrets = { ...tool };
  for (const name of secretMembers) delete shown[name];
  return shown;
}

function secretsOf(tool: object): ToolSecrets | null {
  const given = tool as Record<string, unknown>;
  const found = secretMembers.filter((name) => given[name] !== undefined && given[name] !== null);
  return found.length === 0 ? null : Object.fromEntries(found.map((name) => [name, given[name]]));
}

/** The secrets of tools in their order, to be sealed; null where none has any. */
export function secretsOfAll(tools: readonly object[]): string | null {
  const secrets = tools.map(secretsOf);
  return secrets.every((one) => one === null) ? null : JSON.stringify(secrets);
}

/** The tools as they were before their secrets were taken out. */
export function withSecrets<T extends object>(tools: readonly T[], secrets: string): T[] {
  const parsed = JSON.parse(secrets) as (ToolSecrets | null)[];
  return tools.map((tool, i) => ({ ...tool, ...parsed[i] }));
}
