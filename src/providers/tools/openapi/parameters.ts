import { invalidPayload } from '../../../errors.ts';
import { isRecord } from '../../../kit/record.ts';
import type { Node, References } from './references.ts';
import { type ParameterForm, type ParameterPlace, stylesByPlace } from './serialise-parameter.ts';

export interface Parameter extends ParameterForm {
  in: ParameterPlace;
  /** What the model calls it: its name, unless another parameter has the same. */
  argument: string;
  required: boolean;
  description: string | null;
  schema: unknown;
  target: string;
  /** What is sent whatever the model says. */
  fixed?: unknown;
}

type Given = { given: unknown; target: string };

/** OpenAPI leaves these to the description of bodies and of security. */
const notParameters = new Set(['accept', 'content-type', 'authorization']);
const mostParameters = 256;

/** The parameters of an operation; its own take the place of its path's. */
export function readParameters(lists: Given[], path: string, refs: References, place: string): Parameter[] {
  const found = new Map<string, Parameter>();
  for (const { given, target } of lists) {
    if (given === undefined) continue;
    if (!Array.isArray(given)) throw invalidPayload(target, `'${target}' must be a list.`);
    for (const [i, one] of given.entries()) {
      const parameter = readParameter(refs.resolve(one, `${target}[${i}]`), refs);
      if (parameter !== null) found.set(`${parameter.in} ${parameter.name}`, parameter);
    }
  }
  if (found.size > mostParameters) {
    throw invalidPayload(place, `'${place}' has more than ${mostParameters} parameters.`);
  }
  const parameters = [...found.values()];
  for (const [, name] of path.matchAll(/\{([^{}]*)\}/g)) {
    if (!parameters.some((one) => one.in === 'path' && one.name === name)) {
      throw invalidPayload(place, `The path '${path}' has '{${name}}', but there is no such path parameter.`);
    }
  }
  return withArguments(parameters);
}

function readParameter({ node, target }: { node: Node; target: string }, refs: References): Parameter | null {
  const place = placeOf(node, target);
  const { name } = node;
  if (typeof name !== 'string' || name === '')
    throw invalidPayload(`${target}.name`, `'${target}' has no name.`);
  if (place === 'header' && notParameters.has(name.toLowerCase())) return null;
  const content = isRecord(node.content) ? Object.entries(node.content)[0] : undefined;
  if (content !== undefined && !/[/+]json\b/i.test(content[0])) {
    throw invalidPayload(
      `${target}.content`,
      `'${target}' is '${content[0]}'; of such parameters JSON is sent only.`,
    );
  }
  const schema =
    content === undefined ? node.schema : refs.resolve(content[1], `${target}.content`).node.schema;
  const style = styleOf(node, place, target);
  return {
    in: place,
    name,
    argument: name,
    required: place === 'path' || node.required === true,
    description: typeof node.description === 'string' ? node.description : null,
    schema: schema === undefined ? {} : refs.resolve(schema, `${target}.schema`).node,
    target,
    style,
    explode: typeof node.explode === 'boolean' ? node.explode : style === 'form',
    allowReserved: node.allowReserved === true,
    json: content !== undefined,
  };
}

function placeOf(node: Node, target: string): ParameterPlace {
  const place = node.in;
  if (typeof place === 'string' && Object.hasOwn(stylesByPlace, place)) return place as ParameterPlace;
  throw invalidPayload(
    `${target}.in`,
    `'${target}.in' must be one of: ${Object.keys(stylesByPlace).join(', ')}.`,
  );
}

function styleOf(node: Node, place: ParameterPlace, target: string) {
  const styles = stylesByPlace[place];
  const style = node.style === undefined ? styles[0] : styles.find((known) => known === node.style);
  if (style !== undefined) return style;
  throw invalidPayload(
    `${target}.style`,
    `'${target}.style' must be one of: ${styles.join(', ')} for a parameter in ${place}.`,
  );
}

/** Two parameters of one name, in different places, are told apart by the place. */
function withArguments(parameters: Parameter[]): Parameter[] {
  const count = new Map<string, number>();
  for (const { name } of parameters) count.set(name, (count.get(name) ?? 0) + 1);
  return parameters.map((one) =>
    (count.get(one.name) ?? 0) > 1 ? { ...one, argument: `${one.name}_${one.in}` } : one,
  );
}
