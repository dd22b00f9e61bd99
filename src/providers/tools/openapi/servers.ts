import { invalidPayload } from '../../../errors.ts';
import { isRecord } from '../../../kit/record.ts';

/** The address that the nearest list of servers names first, its variables at their defaults; no slash at the end. */
export function serverUrl(lists: { given: unknown; target: string }[], document: string): string {
  const list = lists.find(
    ({ given }) => given !== undefined && !(Array.isArray(given) && given.length === 0),
  );
  if (list === undefined) {
    throw invalidPayload(`${document}.servers`, `'${document}.servers' must name the address of the API.`);
  }
  const { given, target } = list;
  const first: unknown = Array.isArray(given) ? given[0] : undefined;
  if (!isRecord(first) || typeof first.url !== 'string') {
    throw invalidPayload(target, `'${target}' must be a list of objects with a 'url'.`);
  }
  const variables = isRecord(first.variables) ? first.variables : {};
  const url = first.url.replace(/\{([^{}]*)\}/g, (_, name: string) => {
    const variable = Object.hasOwn(variables, name) ? variables[name] : undefined;
    const value = isRecord(variable) ? variable.default : undefined;
    if (typeof value === 'string') return value;
    throw invalidPayload(
      `${target}[0].variables.${name}`,
      `The variable '${name}' of '${target}[0].url' has no default.`,
    );
  });
  const parsed = URL.parse(url);
  if (parsed === null || !/^https?:$/.test(parsed.protocol)) {
    throw invalidPayload(
      `${target}[0].url`,
      `'${target}[0].url' must be a whole http or https address; '${url.slice(0, 200)}' is not.`,
    );
  }
  if (parsed.username !== '' || parsed.password !== '') {
    throw invalidPayload(`${target}[0].url`, `'${target}[0].url' must not carry a user or password.`);
  }
  return url.replace(/[?#].*$/, '').replace(/\/+$/, '');
}
