import { isRecord } from '../../../kit/record.ts';
import type { ModelSchema } from './model-schema.ts';
import type { Parameter } from './parameters.ts';
import type { Node } from './references.ts';
import type { BodyForm } from './request-body.ts';

/** The argument that carries a request body, unless a parameter has the name. */
export const bodyArgument = (parameters: Parameter[]): string =>
  parameters.some(({ argument }) => argument === 'body') ? 'request_body' : 'body';

/** What the model is asked for: parameters by name, and the body beside them. */
export function argumentsSchema(parameters: Parameter[], body: BodyForm | null, convert: ModelSchema): Node {
  const properties: [string, Node][] = parameters.map(({ argument, schema, description, target }) => {
    const converted = convert(schema, `${target}.schema`);
    const told = description ?? converted.description;
    return [argument, { ...converted, ...(told === undefined ? {} : { description: told }) }];
  });
  const required = parameters.filter((one) => one.required).map(({ argument }) => argument);
  if (body !== null) {
    const name = bodyArgument(parameters);
    const converted =
      body.kind === 'text' ? { type: 'string' } : convert(body.schema, `${body.target}.schema`);
    const told = body.description ?? (isRecord(converted) ? converted.description : undefined);
    properties.push([name, { ...converted, ...(told === undefined ? {} : { description: told }) }]);
    if (body.required) required.push(name);
  }
  return {
    type: 'object',
    properties: Object.fromEntries(properties),
    required,
    additionalProperties: false,
  };
}
