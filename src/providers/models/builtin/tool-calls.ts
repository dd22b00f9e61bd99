import type { ModelRequest, ModelTool } from '../model.ts';
import { type Conversation, lastTurn } from './conversation.ts';
import { evidenceOf } from './json/evidence.ts';
import { jsonFor, parsedJson } from './json/json.ts';
import { mentionsOf } from './json/mentions.ts';
import { isSchema, listOf } from './json/schema.ts';
import { kindOf, slotOf } from './json/slots.ts';
import { exactWords, wordsAskedFor } from './obedience.ts';
import { scoreOf, stemsOf, subjectOf, type ToolSubject } from './tool-match.ts';
import { nameParts } from './vocabulary.ts';

export interface PlannedCall {
  name: string;
  /** JSON text. */
  arguments: string;
}

const mostCalls = 8;
const mostTools = 256;

/**
 * The calls to make now; none when the answer is due in words. Once the tools have answered the turn, it is due,
 * except that calls which had to wait their turn (`parallelToolCalls` false) come first.
 */
export function callsToMake(request: ModelRequest, conversation: Conversation): PlannedCall[] {
  const { toolChoice, parallelToolCalls } = request;
  const tools = request.tools.slice(0, mostTools);
  const done = conversation.outputs.length;
  if (toolChoice === 'none' || tools.length === 0) return [];
  if (typeof toolChoice === 'object') {
    const answered = conversation.outputs.some(({ name }) => name === toolChoice.name || name === '');
    const tool = tools.find(({ name }) => name === toolChoice.name);
    if (answered || tool === undefined) return [];
    return callsOf([{ tool, text: lastTurn(conversation) }], conversation).slice(
      0,
      parallelToolCalls ? mostCalls : 1,
    );
  }
  if (done > 0 && parallelToolCalls) return [];
  const wanted = wantedTools(tools, conversation, toolChoice === 'required');
  const calls = callsOf(wanted, conversation);
  return parallelToolCalls ? calls : calls.slice(done, done + 1);
}

interface Wanted {
  tool: ModelTool;
  /** The part of the turn that asks for it. */
  text: string;
}

const refusal =
  /\b(?:do not|don['’]t|never|without)\s+(?:us(?:e|ing)|call(?:ing)?|invok(?:e|ing))\s+(?:\S+\s+){0,4}?(?:tools?|functions?)\b/i;
const followUp = /^(?:and|what about|how about|also|now|same for)\b/i;
const followUpLength = 60;

function wantedTools(tools: ModelTool[], conversation: Conversation, must: boolean): Wanted[] {
  const turn = lastTurn(conversation);
  const subjects = tools.map(subjectOf);
  const literal = exactWords(turn, 'turn') ?? wordsAskedFor(turn);
  if (must || (literal === null && !refusal.test(turn))) {
    const wanted = byClause(subjects, turn);
    if (wanted.length > 0) return wanted;
    const before = conversation.turns.at(-2);
    if (before !== undefined && turn.length <= followUpLength && followUp.test(turn)) {
      const [same] = byClause(subjects, before);
      if (same !== undefined) return [{ tool: same.tool, text: turn }];
    }
    const search = asksAbout.test(turn) ? tools.find(searches) : undefined;
    if (search !== undefined) return [{ tool: search, text: turn }];
  }
  const fallback = must ? (closest(subjects, turn) ?? tools[0]) : undefined;
  return fallback === undefined ? [] : [{ tool: fallback, text: turn }];
}

const asksAbout =
  /\b(?:tell (?:me|us)(?: more| everything| all)?|what (?:do you know|can you (?:tell|say)|is known)(?: \w+)?) about\b/i;

/** Whether a tool looks up whatever it is asked. */
function searches({ name, parameters }: ModelTool): boolean {
  const required = listOf(parameters.required);
  return required.length === 1 && nameParts(name).includes('search');
}

const clausePattern =
  /(?<=[.?!;])\s+|\n+|,?\s+(?:and\s+then|and|then|also)\s+(?=(?:also\s+)?(?:what|how|when|who|where|which|is|are|can|could|please|tell|show|get|give|find|search|look|send|check|book|create|add|make|write|translate|convert|calculate|schedule|email|play|turn|set|remind|order|cancel)\b)/i;

/** The tool that each clause asks for; clauses that ask for none tell more of the one before, or else after. */
function byClause(subjects: ToolSubject[], turn: string): Wanted[] {
  const wanted: Wanted[] = [];
  let ahead = '';
  for (const clause of turn.split(clausePattern).slice(0, 40)) {
    const tool = bestFor(subjects, clause);
    const last = wanted.at(-1);
    if (tool === undefined && last === undefined) ahead += `${clause} `;
    else if (last !== undefined && (tool === undefined || tool === last.tool)) last.text += ` ${clause}`;
    else if (tool !== undefined && wanted.length < mostCalls) {
      wanted.push({ tool, text: last === undefined ? `${ahead}${clause}` : clause });
    }
  }
  for (const each of wanted) {
    if (subjects.some(({ tool, takesProgram }) => takesProgram && tool === each.tool)) each.text = turn;
  }
  if (wanted.length > 0) return wanted;
  const tool = bestFor(subjects, turn);
  return tool === undefined ? [] : [{ tool, text: turn }];
}

function bestFor(subjects: ToolSubject[], text: string): ModelTool | undefined {
  const stems = stemsOf(text);
  let best: { tool: ModelTool; score: number } | undefined;
  for (const subject of subjects) {
    const score = scoreOf(subject, text, stems);
    if (score > (best?.score ?? 0)) best = { tool: subject.tool, score };
  }
  return best?.tool;
}

/** The tool that shares most with the text, however little that is. */
function closest(subjects: ToolSubject[], text: string): ModelTool | undefined {
  const stems = stemsOf(text);
  let best: { tool: ModelTool; shared: number } | undefined;
  for (const { tool, weights } of subjects) {
    let shared = 0;
    for (const each of stems.keys()) shared += weights.get(each) ?? 0;
    if (shared > (best?.shared ?? 0)) best = { tool, shared };
  }
  return best?.tool;
}

function callsOf(wanted: Wanted[], conversation: Conversation): PlannedCall[] {
  const calls: PlannedCall[] = [];
  for (const { tool, text } of wanted) {
    for (const { before, said } of eachSaid(tool, text)) {
      const call = { name: tool.name, arguments: argumentsFor(tool, said, before, conversation) };
      const known = calls.some((other) => other.name === call.name && other.arguments === call.arguments);
      if (!known && calls.length < mostCalls) calls.push(call);
    }
  }
  return calls;
}

/**
 * One text per call: a tool that takes one place or person is called once for each of those enumerated. `before`
 * is the whole, for whatever else it tells.
 */
function eachSaid(tool: ModelTool, text: string): { said: string; before: string }[] {
  const once = [{ said: text, before: text }];
  const properties = isSchema(tool.parameters.properties) ? tool.parameters.properties : {};
  const required = new Set(listOf(tool.parameters.required));
  const all = Object.entries(properties).map(([key, schema]) => ({ key, schema }));
  const taken = all.filter(({ key }) => required.has(key));
  const single = (taken.length > 0 ? taken : all).filter(
    ({ schema }) => isSchema(schema) && schema.type === 'string' && schema.enum === undefined,
  );
  const [one] = single;
  if (one === undefined || single.length > 1 || !isSchema(one.schema)) return once;
  const kind = kindOf(slotOf(one.key, one.schema.description, new Set()));
  if (kind !== 'place' && kind !== 'person' && kind !== 'symbol' && kind !== 'other') return once;
  const { names } = mentionsOf(text.slice(0, 4000));
  const first = names.findIndex(({ end }, at) => joint.test(text.slice(end, names[at + 1]?.at ?? end)));
  if (first === -1) return once;
  let last = first;
  while (joint.test(text.slice(names[last]?.end, names[last + 1]?.at ?? names[last]?.end))) last++;
  const listed = names.slice(first, last + 1);
  // Commas alone may stand between a town and its country.
  if (!listed.some(({ end }, at) => /and|or|&/.test(text.slice(end, listed[at + 1]?.at ?? end)))) return once;
  const [start, end] = [listed[0]?.at ?? 0, listed.at(-1)?.end ?? 0];
  return listed.map((name) => ({ said: text.slice(0, start) + name.text + text.slice(end), before: text }));
}

const joint = /^(?:,\s*(?:and\s+|or\s+)?|\s+and\s+(?:in\s+|for\s+)?|\s+or\s+|\s*&\s*)$/;

function argumentsFor(tool: ModelTool, said: string, before: string, conversation: Conversation): string {
  const { turns } = conversation;
  const texts =
    said === before ? [said, lastTurn(conversation), ...turns.slice(0, -1).slice(-3).reverse()] : [said];
  const schema =
    tool.parameters.type === undefined ? { ...tool.parameters, type: 'object' } : tool.parameters;
  const value = jsonFor(
    { schema, name: tool.name, title: `the tool '${tool.name}'`, target: 'tools' },
    evidenceOf(texts, [parsedJson(said)], null),
  );
  return JSON.stringify(value);
}
