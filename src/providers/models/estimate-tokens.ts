import type { ModelRequest } from './model.ts';

const charactersOfToken = 4;

/** About how many tokens a text has. Models disagree, and a limit cannot wait for a tokenizer. */
export const estimateTokens = (characters: number): number => Math.ceil(characters / charactersOfToken);

/** About how many tokens a request gives the model. What is no text is not seen; the true usage corrects it. */
export function estimatePrompt({ messages, tools }: Pick<ModelRequest, 'messages' | 'tools'>): number {
  let characters = 0;
  for (const message of messages) {
    if (message.role === 'tool') characters += message.output.length;
    else if (typeof message.content === 'string') characters += message.content.length;
    else for (const part of message.content) characters += charactersOf(part);
  }
  for (const { name, description, parameters } of tools) {
    characters += name.length + (description?.length ?? 0) + JSON.stringify(parameters).length;
  }
  return estimateTokens(characters);
}

function charactersOf(part: { type: string; text?: string; arguments?: string }): number {
  return (part.text?.length ?? 0) + (part.arguments?.length ?? 0);
}
