/** Starts a whole server and returns what a client needs to reach it. */
import type { Config } from './config.ts';

export interface ServerOptions {
  /** 0 takes any free port. */
  port: number;
  host: string;
  dataDirectory: string;
  config: Config;
  /** A fixed key instead of the one made at random on first start. */
  apiKey: string | null;
  logLevel: string;
}

export interface RunningServer {
  /** `https://HOST:PORT/api/projects/PROJECT` */
  endpoint: string;
  /** `http://127.0.0.1:PORT/msi/token`, the managed-identity endpoint. */
  identityEndpoint: string;
  identityHeader: string;
  apiKey: string;
  /** The certificate of the local CA, PEM. */
  caFile: string;
  /** The system's roots and our CA in one PEM file. */
  caBundleFile: string;
  dataDirectory: string;
  port: number;
  /** Names of the model deployments, `builtin` last. */
  deployments: string[];
  /** Ends streams properly, finishes what was accepted, closes the store. Safe to call twice. */
  close(): Promise<void>;
}

export declare function startServer(options: ServerOptions): Promise<RunningServer>;
