/** For Vitest's `globalSetup`: one server for the run. `globalSetup(options)` makes one that is configured. */
import type { TestProject } from 'vitest/node';
import { type ServerOptions, startServer } from './start-server.ts';
import type { Variables } from './variables.ts';

declare module 'vitest' {
  interface ProvidedContext {
    bloomery: Variables;
  }
}

export const globalSetup =
  (options: ServerOptions = {}) =>
  async ({ provide }: Pick<TestProject, 'provide'>): Promise<() => Promise<void>> => {
    const server = await startServer(options);
    provide('bloomery', server.environment);
    return server.stop;
  };

export default globalSetup();
