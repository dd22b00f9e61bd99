import type { Operation } from '../kit/operation.ts';

interface RawRequest {
  url?: string;
  headers: { 'content-type'?: string };
}

/** What the router looks at besides method and decoded path to tell operations at one place apart. */
export const routeConstraints = {
  /** The media type of the body; see `Operation.consumes`. */
  consumes: constraint('consumes', ({ headers: { 'content-type': contentType } }) =>
    contentType === undefined || contentType === 'application/json'
      ? undefined
      : contentType.split(';', 1)[0]?.trim().toLowerCase(),
  ),
  /** `enable` in `/agents/a:enable`. The router decodes names first, so that `a%3Aenable` looks the same to it. */
  verb: constraint('verb', ({ url = '' }) => {
    const query = url.indexOf('?');
    const length = query === -1 ? url.length : query;
    const end = url.charAt(length - 1) === '/' ? length - 1 : length;
    const colon = url.lastIndexOf(':', end - 1);
    return colon === -1 ? undefined : url.slice(colon + 1, end);
  }),
};

export function constraintsOf({ path, consumes }: Operation): Record<string, string> {
  const verb = /\}:(\w+)$/.exec(path)?.[1];
  return { ...(consumes === undefined ? {} : { consumes }), ...(verb === undefined ? {} : { verb }) };
}

function constraint(name: string, deriveConstraint: (request: RawRequest) => string | undefined) {
  return {
    name,
    deriveConstraint,
    storage() {
      const handlers = new Map<string, unknown>();
      return {
        get: (value: string) => handlers.get(value) ?? null,
        set(value: string, handler: unknown) {
          handlers.set(value, handler);
        },
      };
    },
  };
}
