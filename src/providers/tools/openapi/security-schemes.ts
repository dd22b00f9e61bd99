import { invalidPayload } from '../../../errors.ts';
import { isRecord } from '../../../kit/record.ts';
import type { Node, References } from './references.ts';

/** Where a credential goes. */
export type SecurityScheme = { scheme: string } & (
  | { kind: 'apiKey'; in: 'header' | 'query' | 'cookie'; name: string }
  | { kind: 'bearer' }
  | { kind: 'basic' }
  | { kind: 'unknown'; type: string }
);

/** Reads what a document demands: returns the reader of an operation's own `security`. */
export function readSecurity(document: Node, refs: References, root: string) {
  const components = isRecord(document.components) ? document.components : {};
  const declared = new Map<string, SecurityScheme>();
  if (isRecord(components.securitySchemes)) {
    for (const [scheme, given] of Object.entries(components.securitySchemes)) {
      const place = `${root}.components.securitySchemes.${scheme}`;
      const { node, target } = refs.resolve(given, place);
      declared.set(scheme, readScheme(scheme, node, target));
    }
  }
  return (own: unknown, target: string): SecurityScheme[][] => {
    const [list, place] = own === undefined ? [document.security, `${root}.security`] : [own, target];
    // Documents that describe schemes, but demand none, mean the schemes they describe.
    if (list === undefined) return [...declared.values()].map((one) => [one]);
    if (!Array.isArray(list)) throw invalidPayload(place, `'${place}' must be a list.`);
    return list.map((requirement: unknown, i) => {
      if (!isRecord(requirement))
        throw invalidPayload(`${place}[${i}]`, `'${place}[${i}]' must be an object.`);
      return Object.keys(requirement).map((scheme) => {
        const found = declared.get(scheme);
        if (found !== undefined) return found;
        throw invalidPayload(
          `${place}[${i}].${scheme}`,
          `No security scheme '${scheme}' is described in '${root}.components.securitySchemes'.`,
        );
      });
    });
  };
}

function readScheme(scheme: string, node: Node, target: string): SecurityScheme {
  const { type } = node;
  if (type === 'apiKey') {
    const place = (['header', 'query', 'cookie'] as const).find((known) => known === node.in);
    if (place === undefined || typeof node.name !== 'string' || node.name === '') {
      throw invalidPayload(target, `'${target}' must have a 'name', and 'in': header, query or cookie.`);
    }
    return { scheme, kind: 'apiKey', in: place, name: node.name };
  }
  if (type === 'oauth2' || type === 'openIdConnect') return { scheme, kind: 'bearer' };
  if (type === 'http' && typeof node.scheme === 'string') {
    const kind = node.scheme.toLowerCase();
    return kind === 'bearer' || kind === 'basic'
      ? { scheme, kind }
      : { scheme, kind: 'unknown', type: `http ${kind}` };
  }
  return { scheme, kind: 'unknown', type: String(type) };
}
