/** Vitest's `test` with a server and a project of each test's own. */
import { test as base, inject } from 'vitest';
import type {} from './global-setup.ts';
import type { Project } from './project.ts';
import { type Server, serverAt } from './server.ts';
import { type ServerOptions, startServer } from './start-server.ts';

export const test = base
  /** How to start a server for this worker alone; without it, that of the global set-up is taken. */
  .extend('serverOptions', { scope: 'worker' }, async (): Promise<ServerOptions | null> => null)
  .extend('server', { scope: 'worker' }, async ({ serverOptions }, { onCleanup }): Promise<Server> => {
    const running = inject('bloomery');
    if (serverOptions === null && running !== undefined) return serverAt(running);
    const server = await startServer(serverOptions ?? {});
    onCleanup(server.stop);
    return server;
  })
  /** What each test's project is a fork of; to be extended by what makes one. */
  .extend('origin', { scope: 'file' }, async (): Promise<Project | null> => null)
  .extend('project', async ({ server, origin }, { onCleanup }) => {
    const project = await (origin === null ? server.project() : origin.fork());
    onCleanup(project.delete);
    return project;
  })
  /** Sets the variables of the project for the length of the test, for code that makes its own clients. */
  .extend('environment', async ({ project }, { onCleanup }) => {
    const before = Object.keys(project.environment).map((name) => [name, process.env[name]] as const);
    Object.assign(process.env, project.environment);
    onCleanup(() => {
      for (const [name, value] of before) {
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      }
    });
    return project.environment;
  });
