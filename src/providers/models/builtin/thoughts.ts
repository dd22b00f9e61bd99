import type { ReasoningEffort } from '../model.ts';
import { type Conversation, lastTurn } from './conversation.ts';

const shown = 80;

/** What the model tells of how it comes to its answer: a sentence or more, by effort; '' without any. */
export function thoughts(conversation: Conversation, effort: ReasoningEffort | null, next: string): string {
  if (effort === null || effort === 'none') return '';
  const { instructions, outputs, turns } = conversation;
  const turn = lastTurn(conversation).slice(0, shown).replace(/\s+/g, ' ');
  const sentences = [
    turn === '' ? 'There is no text to answer.' : `The last turn is: "${turn}".`,
    instructions === '' ? 'There are no instructions.' : 'There are instructions, and they come first.',
    outputs.length === 0 ? 'No tool has answered yet.' : `Tools have answered ${outputs.length} time(s).`,
    `The conversation has ${turns.length} turn(s).`,
  ];
  return [...sentences.slice(0, sentencesFor[effort]), next].join(' ');
}

const sentencesFor: Record<ReasoningEffort, number> = {
  none: 0,
  minimal: 0,
  low: 1,
  medium: 2,
  high: 3,
  xhigh: 4,
  max: 4,
};
