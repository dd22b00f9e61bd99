import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';

const longest = 1_048_576;

/** What a tool returned, as one text. What is no text is told of, not shown: a model could not read it. */
export function resultText({ content, structuredContent }: CallToolResult): string {
  const text = content.map(blockText).join('\n');
  return clipped(text === '' && structuredContent !== undefined ? JSON.stringify(structuredContent) : text);
}

function blockText(block: CallToolResult['content'][number]): string {
  switch (block.type) {
    case 'text':
      return block.text;
    case 'image':
    case 'audio':
      return `[${block.mimeType}, ${base64Bytes(block.data)} bytes]`;
    case 'resource_link':
      return `[${block.name}: ${block.uri}]`;
    case 'resource': {
      const { resource } = block;
      if ('text' in resource) return resource.text;
      return `[${resource.uri}: ${resource.mimeType ?? 'data'}, ${base64Bytes(resource.blob)} bytes]`;
    }
  }
}

const base64Bytes = (data: string): number => Math.floor((data.replace(/=+$/, '').length * 3) / 4);

const clipped = (text: string): string =>
  text.length <= longest
    ? text
    : `${text.slice(0, longest)}\n[clipped: ${text.length - longest} more characters]`;
