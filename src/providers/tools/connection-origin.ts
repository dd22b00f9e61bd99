import { invalidPayload } from '../../errors.ts';
import type { ToolConnection } from './connections.ts';

/**
 * Whoever may name a connection in a tool must not be able to have its secrets sent elsewhere. Throws about the field
 * `field`, in which the definition gives the address `url`, unless that is of the origin of the connection's target.
 */
export function checkOrigin({ name, target, credentials }: ToolConnection, url: string, field: string): void {
  const asked = originOf(url);
  const own = originOf(target);
  if (credentials.type === 'None' || (own !== null && own === asked)) return;
  throw invalidPayload(
    field,
    own === null
      ? `The target of the connection '${name}' is no address that its credentials could belong to, so they are not sent to ${asked}. Set its target to the address of the service.`
      : `The connection '${name}' is for ${own}; its credentials are not sent to ${asked}.`,
  );
}

/** Null for what is no address, such as the `_` of connections that hold keys only. */
export function originOf(address: string): string | null {
  const origin = URL.parse(address)?.origin ?? 'null';
  return origin === 'null' ? null : origin;
}
