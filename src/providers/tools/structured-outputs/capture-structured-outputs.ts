import Type, { type Static } from 'typebox';
import { invalidPayload } from '../../../errors.ts';
import { AnyObject, Maybe } from '../../../kit/schema.ts';
import { assertUsableSchema, schemaFault } from '../../../kit/schema-fault.ts';
import { assertJsonSchema } from '../../../kit/validation.ts';
import { functionName } from '../function-name.ts';
import type { OpenTool, ServerTool } from '../tool.ts';
import { toolFailure } from '../tool-failure.ts';

const type = 'capture_structured_outputs';

const Definition = Type.Object({
  type: Type.Literal(type),
  outputs: Type.Object({
    name: Type.String({ minLength: 1, maxLength: 256 }),
    description: Type.String({ maxLength: 8192 }),
    schema: AnyObject,
    strict: Maybe(Type.Boolean()),
  }),
});
type Definition = Static<typeof Definition>;

const captured = 'The output was captured.';

/** A function whose arguments are what is wanted of the model: each call of it is an item with them. */
export const captureStructuredOutputsTool: ServerTool = {
  type,
  definition: Definition,
  itemType: 'structured_outputs',
  idempotent: true,
  timeoutSeconds: 10,
  open: (definition, { target }) => open(definition as Definition, `${target}.outputs.schema`),
  replay: ({ output, status }) => ({
    name: type,
    arguments: JSON.stringify(output ?? {}),
    output: status === 'failed' ? 'The output was not captured.' : captured,
  }),
};

function open({ outputs }: Definition, target: string): OpenTool {
  const { description, schema, strict } = outputs;
  checkSchema(schema, target);
  const name = functionName(outputs.name);
  return {
    label: outputs.name,
    functions: [{ name, description, parameters: schema, strict: strict ?? true }],
    needsApproval: () => false,
    fields: () => ({ output: null }),
    async *run(call) {
      yield* [];
      const output: unknown = JSON.parse(call.arguments);
      const fault = strict === false ? null : faultOf(schema, output);
      if (fault !== null) throw toolFailure(`The output does not fit its schema: ${fault}.`);
      return { fields: { output }, output: captured };
    },
  };
}

function checkSchema(schema: Record<string, unknown>, target: string): void {
  assertJsonSchema(schema, target);
  if (schema.type !== 'object') {
    throw invalidPayload(target, `The 'type' of '${target}' must be 'object': it is what a function takes.`);
  }
  try {
    assertUsableSchema(schema);
  } catch {
    throw invalidPayload(target, `'${target}' cannot be used: it refers to something that it does not have.`);
  }
}

function faultOf(schema: Record<string, unknown>, output: unknown): string | null {
  try {
    return schemaFault(schema, output);
  } catch {
    return 'to find out took too long';
  }
}
