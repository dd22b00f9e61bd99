import { Parser } from 'htmlparser2';
import { decodeText } from './plain-text.ts';

export type Attributes = Record<string, string>;

/** Names without their prefixes; attributes with them. */
export interface XmlHandler {
  open?(name: string, attributes: Attributes): void;
  close?(name: string): void;
  text?(text: string): void;
}

const stepBytes = 65_536;

/** Walks through XML. Only the five entities of XML itself and numbers are known, so that none can expand. */
export function walkXml(bytes: Uint8Array, { open, close, text }: XmlHandler): void {
  const parser = new Parser(
    {
      ...(open === undefined ? {} : { onopentag: (name, attributes) => open(local(name), attributes) }),
      ...(close === undefined ? {} : { onclosetag: (name) => close(local(name)) }),
      ...(text === undefined ? {} : { ontext: text }),
    },
    { xmlMode: true, decodeEntities: true },
  );
  if (bytes[0] === 0xff || bytes[0] === 0xfe) parser.write(decodeText(bytes) ?? '');
  else {
    const decoder = new TextDecoder();
    for (let at = 0; at < bytes.length; at += stepBytes) {
      parser.write(decoder.decode(bytes.subarray(at, at + stepBytes), { stream: true }));
    }
  }
  parser.end();
}

const local = (name: string): string => name.slice(name.indexOf(':') + 1);

/** An attribute by its name, whatever prefix it has. */
export function attribute(attributes: Attributes, name: string): string | undefined {
  if (name in attributes) return attributes[name];
  const ending = `:${name}`;
  for (const key in attributes) if (key.endsWith(ending)) return attributes[key];
  return undefined;
}
