import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { Answer, type Family, JsonText, type Operation } from '../../kit/operation.ts';
import { plainSchema } from '../../openapi/plain-schema.ts';

const ajv = new Ajv2020({ strict: false, allErrors: true, discriminator: false });
const compiled = new WeakMap<object, ValidateFunction>();

/** What a JSON answer has that its operation's row does not say; null where they fit. */
function misfit(operation: Operation, answer: unknown): string | null {
  const given = answer instanceof Answer ? answer : new Answer(operation.status ?? 200, answer);
  const statuses = [operation.status ?? 200, ...(operation.answersCreated ? [201] : [])];
  if (!statuses.includes(given.status)) return `answers ${given.status}, not ${statuses.join(' or ')}`;
  const text = given.body instanceof JsonText ? given.body.text : JSON.stringify(given.body);
  if (text === undefined) return operation.result === undefined ? null : 'answers nothing';
  if (operation.result === undefined) return 'answers JSON, and has no schema of it';
  const validate = compiled.get(operation.result) ?? ajv.compile(plainSchema(operation.result));
  compiled.set(operation.result, validate);
  if (validate(JSON.parse(text))) return null;
  return `answers what its schema does not say: ${ajv.errorsText(validate.errors)}`;
}

const isJson = (answer: unknown): boolean =>
  answer === undefined ||
  answer instanceof Answer ||
  answer instanceof JsonText ||
  Object.getPrototypeOf(answer) === Object.prototype;

/** The family, telling `report` of every answer that is not as its contract says. */
export function withFittingAnswers(family: Family, report: (misfit: string) => void): Family {
  const handlers = Object.entries(family.handlers).map(([name, handle]) => {
    const operation = family.operations[name] as Operation;
    const watched = async (...input: Parameters<typeof handle>): Promise<unknown> => {
      const answer = await handle(...input);
      const found = isJson(answer) ? misfit(operation, answer) : null;
      if (found !== null) report(`${family.name}.${name} ${found}`);
      return answer;
    };
    return [name, watched];
  });
  return { ...family, handlers: Object.fromEntries(handlers) };
}
