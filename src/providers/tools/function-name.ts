import { hash } from 'node:crypto';

export const longestName = 64;

/** The nearest that providers of models take as the name of a function: few characters, and not many of them. */
export const functionName = (name: string): string => shortName(name.replace(/[^A-Za-z0-9_-]/g, '_'));

/** Long names that begin alike stay different. */
export const shortName = (name: string, longest = longestName): string =>
  name.length <= longest ? name : `${name.slice(0, longest - 9)}_${digest(name)}`;

export const digest = (text: string): string => hash('sha256', text, 'hex').slice(0, 8);
