import type { Verbosity } from '../model.ts';
import { solve } from './arithmetic.ts';
import { amount, describeAttachments } from './attachments.ts';
import { type Conversation, lastTurn, type ToolOutput } from './conversation.ts';
import { factAbout } from './facts.ts';
import { exactWords, inForm, wordsAskedFor } from './obedience.ts';

const opening = "Bloomery's builtin model here.";
const shownInstructions = 160;
const shownTurn = 300;
const shownEarlier = 120;
const shownOutput = 600;
const shownTools = 10;

/** The answer in words. To the letter where the conversation asks for that, else a few plain sentences. */
export function answer(conversation: Conversation, verbosity: Verbosity | null, tools: string[]): string {
  const { instructions } = conversation;
  const turn = lastTurn(conversation);
  const exact = exactWords(turn, 'turn') ?? wordsAskedFor(turn) ?? exactWords(instructions, 'instructions');
  if (exact !== null) return exact;
  const brief = [substance(conversation)];
  if (conversation.attachments.length > 0) brief.push(describeAttachments(conversation.attachments));
  if (verbosity === 'low') return inForm(brief.join(' '), instructions);
  const sentences = [opening];
  if (instructions !== '') sentences.push(`My instructions: ${quoted(instructions, shownInstructions)}.`);
  sentences.push(...brief);
  const earlier = conversation.turns.at(-2);
  if (earlier !== undefined && earlier !== '') {
    sentences.push(`Earlier you said: ${quoted(earlier, shownEarlier)}.`);
  }
  if (verbosity === 'high') sentences.push(sight(conversation, tools));
  return inForm(sentences.join(' '), instructions);
}

function sight({ turns, outputs }: Conversation, tools: string[]): string {
  const named = tools.slice(0, shownTools).join(', ') + (tools.length > shownTools ? ', …' : '');
  const offered = tools.length === 0 ? 'no tools' : `${amount(tools.length, 'tool')} (${named})`;
  return `I see ${amount(turns.length, 'turn')}, ${amount(outputs.length, 'tool output')} and ${offered}.`;
}

/** The answer without its frame, to be put into a field of structured output. */
export function substance(conversation: Conversation): string {
  const { outputs, turns } = conversation;
  if (outputs.length > 0) return outputs.map(tellOutput).join(' ');
  const turn = lastTurn(conversation);
  if (turn === '') return turns.length === 0 ? 'You have not said anything yet.' : 'You sent no text.';
  const known = recall(turn, turns) ?? factAbout(turn, turns) ?? solve(turn);
  if (known !== null) return known;
  return `You ${turn.endsWith('?') ? 'asked' : 'said'}: ${quoted(turn, shownTurn)}.`;
}

const askedBack = /\bwhat(?:'s|’s| is| was| are)\s+my\s+([\p{L} ]{2,40})\?/iu;
const askedBefore = /\bwhat (?:did|have) I (?:just )?(?:say|ask|tell|said|asked|told)\b/i;
const statement = /\bmy\s+([\p{L} ]{2,40}?)\s+(?:is|are|was)\s+([^.!?\n]{1,80})/giu;
const introduction = /\b(?:I am|I'm|I’m|call me)\s+(\p{Lu}[\p{L}'-]*(?:\s+\p{Lu}[\p{L}'-]*)*)/u;
const remembered = 50;

/** Answers "what is my …?" and "what did I say?" from earlier turns. */
function recall(turn: string, turns: string[]): string | null {
  const earlier = turns.slice(0, -1).slice(-remembered).reverse();
  if (earlier.length === 0) return null;
  if (askedBefore.test(turn)) return `You said: ${quoted(earlier[0] ?? '', shownTurn)}.`;
  const subject = askedBack.exec(turn)?.[1]?.trim().toLowerCase();
  if (subject === undefined) return null;
  for (const text of earlier) {
    for (const [, what = '', value = ''] of text.matchAll(statement)) {
      if (what.toLowerCase() === subject) return `Your ${subject} is ${value.trim()}.`;
    }
    const name = subject === 'name' ? introduction.exec(text)?.[1] : undefined;
    if (name !== undefined) return `Your name is ${name}.`;
  }
  return null;
}

function tellOutput({ name, output }: ToolOutput): string {
  const told = sentence(readable(output));
  return name === '' ? `The tool returned: ${told}` : `According to ${name}: ${told}`;
}

function readable(output: string): string {
  const value = parsed(output);
  if (typeof value !== 'object' || value === null) return short(String(value ?? output), shownOutput);
  const entries = Object.entries(value).map(([key, entry]) => {
    const text = typeof entry === 'string' ? entry : JSON.stringify(entry);
    return Array.isArray(value) ? text : `${key.replaceAll('_', ' ')} is ${text}`;
  });
  return short(entries.join(', ') || 'nothing', shownOutput);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

const sentence = (text: string): string => (/[.!?…]$/.test(text) ? text : `${text}.`);

const runsOfSpace = /\s+/g;

const quoted = (text: string, length: number): string => `"${short(text, length)}"`;

function short(text: string, length: number): string {
  const line = text
    .slice(0, length * 4)
    .replace(runsOfSpace, ' ')
    .trim();
  return line.length <= length ? line : `${line.slice(0, length).trimEnd()}…`;
}
