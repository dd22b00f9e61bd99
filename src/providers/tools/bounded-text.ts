/** The text of an answer up to a number of bytes; what is beyond is not read. */
export interface BoundedText {
  text: string;
  clipped: boolean;
}

export async function boundedText(response: Response, mostBytes: number): Promise<BoundedText> {
  const { body } = response;
  if (body === null) return { text: '', clipped: false };
  const decoder = decoderFor(response.headers.get('content-type') ?? '');
  const reader = body.getReader();
  let text = '';
  let left = mostBytes;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return { text: text + decoder.decode(), clipped: false };
    const chunk: Uint8Array = value;
    text += decoder.decode(chunk.subarray(0, left), { stream: true });
    left -= chunk.length;
    if (left < 0) {
      await reader.cancel().catch(() => {});
      return { text, clipped: true };
    }
  }
}

function decoderFor(contentType: string): TextDecoder {
  const charset = /charset="?([\w.:-]+)/i.exec(contentType)?.[1];
  try {
    return new TextDecoder(charset ?? 'utf-8');
  } catch {
    return new TextDecoder();
  }
}
