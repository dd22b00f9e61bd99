import type { FilePart, ImagePart } from '../model.ts';

/** What the builtin model can tell of images and files: how many, of which type and size. */
export function describeAttachments(parts: (ImagePart | FilePart)[]): string {
  const images = parts.filter((part) => part.type === 'image');
  const files = parts.filter((part) => part.type === 'file');
  const counted = [
    images.length > 0 ? `${amount(images.length, 'image')} (${shortList(images.map(describeImage))})` : '',
    files.length > 0 ? `${amount(files.length, 'file')} (${shortList(files.map(describeFile))})` : '',
  ].filter((each) => each !== '');
  return `You sent ${counted.join(' and ')}.`;
}

export const amount = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

function shortList(descriptions: string[]): string {
  const shown = descriptions.slice(0, 4).join('; ');
  return descriptions.length > 4 ? `${shown}; and ${descriptions.length - 4} more` : shown;
}

interface Data {
  mediaType: string;
  bytes: number;
  start: Buffer;
}

const dataUrl = /^data:([^;,]{0,100})[^,]{0,200}?(;base64)?,/;

function readData(url: string): Data | null {
  const match = dataUrl.exec(url);
  if (match === null) return null;
  const at = match[0].length;
  const base64 = match[2] !== undefined;
  const padding = url.endsWith('==') ? 2 : url.endsWith('=') ? 1 : 0;
  return {
    mediaType: match[1] || 'text/plain',
    bytes: base64 ? Math.floor(((url.length - at - padding) * 3) / 4) : url.length - at,
    start: Buffer.from(url.slice(at, at + 400), base64 ? 'base64' : 'utf8'),
  };
}

function describeImage({ url }: ImagePart): string {
  const data = readData(url);
  if (data === null) return `at ${hostOf(url)}`;
  const type = data.mediaType.replace('image/', '').toUpperCase();
  const isPng = data.start.length >= 24 && data.start.readUInt32BE(0) === 0x89504e47;
  const size = isPng ? `, ${data.start.readUInt32BE(16)}×${data.start.readUInt32BE(20)} pixels` : '';
  return `${type}${size}, ${amount(data.bytes, 'byte')}`;
}

function describeFile({ url, filename }: FilePart): string {
  const data = readData(url);
  const name = filename ?? 'unnamed';
  if (data === null) return `${name} at ${hostOf(url)}`;
  const text = /^text\/|json$/.test(data.mediaType)
    ? data.start.toString('utf8').split(/\s+/).slice(0, 12)
    : [];
  const beginning = text.length > 0 ? `, begins "${text.join(' ')}"` : '';
  return `${name}, ${data.mediaType}, ${amount(data.bytes, 'byte')}${beginning}`;
}

const hostOf = (url: string): string => (URL.canParse(url) ? new URL(url).host : 'an unknown address');
