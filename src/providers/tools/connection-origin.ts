import { invalidPayload } from '../../errors.ts';
import type { ToolConnection } from './connections.ts';

/**
 * Whoever may name a connection in a tool must not be able to have its secrets sent elsewhere. Throws about the field
 * `field`, in which the definition gives the address `url`, unless that is of the origin of the connection's target.
 * In Foundry connections of custom keys have no target; nothing says where those belong, so they go with any address.
 */
export function checkOrigin({ name, target, credentials }: ToolConnection, url: string, field: string): void {
  const asked = originOf(url);
  const own = originOf(target);
  if (credentials.type === 'None' || own === null || own === asked) return;
  throw invalidPayload(
    field,
    `The connection '${name}' is for ${own}; its credentials are not sent to ${asked}.`,
  );
}

/** Null for what is no address, such as the `_` of connections that hold keys only. */
function originOf(address: string): string | null {
  const origin = URL.parse(address)?.origin ?? 'null';
  return origin === 'null' ? null : origin;
}
