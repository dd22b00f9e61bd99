type Variables = Record<string, string>;
export type VariableFormat = 'shell' | 'json' | 'dotenv' | 'powershell';

export function formatVariables(variables: Variables, format: VariableFormat): string {
  if (format === 'json') return `${JSON.stringify(variables, null, 2)}\n`;
  const line = lines[format];
  return Object.entries(variables)
    .map(([name, value]) => `${line(name, value)}\n`)
    .join('');
}

const lines: Record<Exclude<VariableFormat, 'json'>, (name: string, value: string) => string> = {
  shell: (name, value) => `export ${name}='${value.replaceAll("'", `'\\''`)}'`,
  powershell: (name, value) => `$env:${name} = '${value.replaceAll(/['‘’‚‛]/g, '$&$&')}'`,
  dotenv: (name, value) => `${name}=${dotenvValue(value)}`,
};

/** Bare where possible, as some readers (`docker --env-file`) take quotes for a part of the value. */
function dotenvValue(value: string): string {
  if (/^[\w./:@%+,~=-]*$/.test(value)) return value;
  if (!value.includes("'")) return `'${value}'`;
  return `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('$', '\\$')}"`;
}
