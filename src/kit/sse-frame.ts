/** One server-sent event as one frame; each is written whole, since some parsers lose events split between reads. */
export const frame = (event: string, data: string): string => `event: ${event}\ndata: ${data}\n\n`;

/** The sentinel after the last event. */
export const doneFrame = frame('done', '[DONE]');
