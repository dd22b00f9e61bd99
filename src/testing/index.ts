/** Servers and projects for tests, with any test runner. */
export type { Credential } from './credential.ts';
export type { Fault, Project, StruckFault } from './project.ts';
export { type Server, serverAt } from './server.ts';
export { type ServerOptions, type StartedServer, startServer } from './start-server.ts';
export type { Variables } from './variables.ts';
