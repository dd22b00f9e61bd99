import { hash } from 'node:crypto';

const longestName = 64;

/** The nearest that providers of models take as the name of a function: few characters, and not many of them. */
export const functionName = (name: string): string => shortened(name.replace(/[^A-Za-z0-9_-]/g, '_'));

/** Long names that begin alike stay different. */
export const shortened = (name: string): string =>
  name.length <= longestName ? name : `${name.slice(0, longestName - 9)}_${digest(name)}`;

export const digest = (text: string): string => hash('sha256', text, 'hex').slice(0, 8);
