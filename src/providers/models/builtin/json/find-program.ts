import type { Slot } from './slots.ts';

const named = /^(?:code|script|program)$/;
const told = /\b(?:source code|script|program|python|javascript)\b/i;

/** Whether a field wants source code: its name alone may as well mean a postal code. */
export const wantsProgram = ({ parts, description }: Slot): boolean =>
  named.test(parts.at(-1) ?? '') && told.test(description);

/** Whether a text has source code in it, or asks to run some. */
export const offersProgram = (text: string): boolean =>
  /```|\b(?:run|execute|evaluate)\b[^\n]{0,40}\bpython\b|\bpython\b[^\n:]{0,20}:/i.test(text);

const fence = /```[^\S\n]*[\w+-]*[^\S\n]*\n([\s\S]*?)\n?```/;
const introduced =
  /\b(?:run|execute|evaluate|code|script|program|python|following)\b[^:\n`]{0,60}:\s*([\s\S]*\S)/i;
const inline = /`([^`\n]{1,4000})`/;
const afterVerb =
  /\b(?:run|execute|evaluate)\s+(?:(?:the|this|following|python|code|script|program)\s+){0,4}([^\s`][\s\S]*\([\s\S]*\S)/i;

/** The source code of a text: in a fence, after a colon, in backticks, or the call that is to be run. */
export function findProgram(text: string): string | null {
  for (const pattern of [fence, inline, introduced, afterVerb]) {
    const found = pattern.exec(text)?.[1];
    if (found !== undefined && found.trim() !== '') return found;
  }
  return null;
}

/** Where there is none, a program that says what was said. */
export const programSaying = (text: string): string => `print(${JSON.stringify(text)})`;
