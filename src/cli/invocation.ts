const scripts = new Set(['start', 'bloomery']);

/** How the user calls this program, for the texts that say what to type next. */
export function invocation(environment: NodeJS.ProcessEnv = process.env): string {
  const throughNpm =
    environment.npm_package_name === 'bloomery' && scripts.has(environment.npm_lifecycle_event ?? '');
  return throughNpm ? 'npm run -s bloomery --' : 'bloomery';
}
