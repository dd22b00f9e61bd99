import type { ModelOutputFormat } from '../model.ts';
import { substance } from './answer.ts';
import { type Conversation, lastTurn } from './conversation.ts';
import { evidenceOf } from './json/evidence.ts';
import { givenJson, jsonFor, parsedJson } from './json/json.ts';
import { isSchema, type Schema } from './json/schema.ts';
import { exactWords } from './obedience.ts';

/** The answer as JSON of the wanted format. */
export function structuredAnswer(
  conversation: Conversation,
  format: Exclude<ModelOutputFormat, { type: 'text' }>,
): string {
  const turn = lastTurn(conversation);
  const asked = exactWords(turn, 'turn') ?? exactWords(conversation.instructions, 'instructions');
  if (format.type === 'json_object') {
    const given = asked === null ? undefined : parsedJson(asked);
    return JSON.stringify(isSchema(given) ? given : freeObject(conversation));
  }
  const given = asked === null ? undefined : givenJson(asked, format.schema);
  if (given !== undefined) return JSON.stringify(given);
  const schema = describedBy(format.schema, format.description);
  return JSON.stringify(
    jsonFor(
      { schema, name: format.name, title: `the format '${format.name}'`, target: 'text.format.schema' },
      evidence(conversation),
    ),
  );
}

const describedBy = (schema: Schema, description: string | null): Schema =>
  description === null || schema.description !== undefined ? schema : { ...schema, description };

function evidence(conversation: Conversation, turn = lastTurn(conversation)) {
  const { outputs, turns } = conversation;
  const texts = outputs.map(({ output }) => output);
  const json = [...texts, turn].map(parsedJson);
  const answer = substance(conversation);
  const known = outputs.length === 0 && !/^You (?:said|asked|have|sent)\b/.test(answer) ? [answer] : [];
  const prose = texts.filter((_text, at) => json[at] === undefined);
  return evidenceOf([...known, turn, ...prose, ...earlier(turns)], json, answer);
}

const earlier = (turns: string[]): string[] => turns.slice(0, -1).slice(-2).reverse();

const keysPattern =
  /\b(?:keys?|fields?|properties|attributes)\b(?:\s+(?:named|called|are))?:?\s+((?:["'`]?[\p{L}_][\p{L}\p{N}_]{0,60}["'`]?(?:\s*,\s*(?:and\s+)?|\s+and\s+)?){1,20})/iu;

/** An object with the keys that the conversation names, else one with the answer. */
function freeObject(conversation: Conversation): unknown {
  const { instructions } = conversation;
  const turn = lastTurn(conversation);
  const list = (keysPattern.exec(turn) ?? keysPattern.exec(instructions))?.[1];
  const keys = (list ?? '').split(/\s*,\s*(?:and\s+)?|\s+and\s+/).map((key) => key.replace(/["'`\s]/g, ''));
  const named = [...new Set(keys)].filter((key) => key !== '');
  if (named.length === 0) return { answer: substance(conversation) };
  const schema = {
    type: 'object',
    properties: Object.fromEntries(named.map((key) => [key, { type: 'string' }])),
    required: named,
  };
  return jsonFor(
    { schema, name: '', title: 'the JSON object', target: 'text.format' },
    evidence(conversation, turn.replace(keysPattern, '')),
  );
}
