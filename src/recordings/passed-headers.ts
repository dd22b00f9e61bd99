/** Which headers a recorder passes on, in either direction. Lists are as Node has them: names and values in turn. */
import { edited } from './edits.ts';
import { originEdits } from './origins.ts';

/** Of one connection, and so nobody's business beyond it. */
export const hopByHop: ReadonlySet<string> = new Set([
  'connection',
  'expect',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);
/** Set anew by whoever sends. What is compressed could be neither read nor scrubbed. */
const ofTheSender = new Set(['host', 'content-length', 'accept-encoding']);
export const credentialHeaders: ReadonlySet<string> = new Set([
  'api-key',
  'authorization',
  'cookie',
  'ocp-apim-subscription-key',
  'x-api-key',
  'x-identity-header',
]);

export function* pairs(raw: readonly string[]): Generator<[name: string, value: string]> {
  for (let i = 0; i + 1 < raw.length; i += 2) yield [raw[i] as string, raw[i + 1] as string];
}

export interface Upwards {
  host: string;
  /** Of the body; null where there is none. */
  length: number | null;
  /** Whether those of the client are left out: where it has the key of the run, that is nobody else's business. */
  isWithoutCredentials: boolean;
  /** What takes their place. */
  credential: [name: string, value: string] | null;
}

export function upwards(raw: readonly string[], how: Upwards): string[] {
  const { host, length, isWithoutCredentials, credential } = how;
  const kept = [...pairs(raw)].filter(([name]) => {
    const plain = name.toLowerCase();
    if (hopByHop.has(plain) || ofTheSender.has(plain)) return false;
    return !isWithoutCredentials || !credentialHeaders.has(plain);
  });
  return [
    ...['host', host, 'accept-encoding', 'identity'],
    ...kept.flat(),
    ...(credential ?? []),
    ...(length === null ? [] : ['content-length', String(length)]),
  ];
}

export interface Downwards {
  from: string;
  to: string;
  leaveOut: readonly string[];
}

export const downwards = (raw: readonly string[], { from, to, leaveOut }: Downwards): string[] =>
  [...pairs(raw)]
    .filter(([name]) => !hopByHop.has(name.toLowerCase()) && !leaveOut.includes(name.toLowerCase()))
    .flatMap(([name, value]) => [name, edited(value, originEdits(value, from, to))]);
