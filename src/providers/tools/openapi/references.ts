import { invalidPayload } from '../../../errors.ts';
import { isRecord } from '../../../kit/record.ts';

export type Node = Record<string, unknown>;

/** A part of the document, and where it stands. */
export interface Place<T = Node> {
  node: T;
  target: string;
}

export interface References {
  /** What a node is, once its `$ref` has been followed. Throws about the place of one that leads nowhere. */
  resolve(node: unknown, target: string): Place;
}

const mostHops = 32;

/** Follows `$ref`s within one document. References to other documents are refused: nothing is fetched for them. */
export function references(document: Node, root: string): References {
  return {
    resolve(start, place) {
      let node = start;
      let target = place;
      for (let hops = 0; hops <= mostHops; hops++) {
        if (!isRecord(node)) throw invalidPayload(target, `'${target}' must be an object.`);
        if (typeof node.$ref !== 'string') return { node, target };
        const pointer = node.$ref;
        node = lookUp(document, pointer, target);
        target = root + pointer.slice(1).replaceAll('/', '.');
      }
      throw invalidPayload(place, `The reference at '${place}' leads in a circle.`);
    },
  };
}

function lookUp(document: Node, pointer: string, target: string): unknown {
  if (!pointer.startsWith('#')) {
    throw invalidPayload(
      target,
      `'${target}' refers to '${shown(pointer)}', outside the document; put what it refers to inside.`,
    );
  }
  let found: unknown = document;
  for (const segment of pointer.slice(1).split('/').slice(1)) {
    const key = unescaped(segment);
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, key)) {
      throw invalidPayload(target, `'${target}' refers to '${shown(pointer)}', which does not exist.`);
    }
    found = (found as Node)[key];
  }
  return found;
}

function unescaped(segment: string): string {
  const plain = segment.replaceAll('~1', '/').replaceAll('~0', '~');
  try {
    return decodeURIComponent(plain);
  } catch {
    return plain;
  }
}

const shown = (pointer: string): string => pointer.slice(0, 200);
