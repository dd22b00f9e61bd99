import { apiError } from '../../errors.ts';
import type { ModelTool } from '../../providers/models/model.ts';
import type { ContentPart, Item, ToolItem } from './items.ts';
import type { Tool } from './request-parts.ts';

/** A tool that the client runs and whose calls have a shape of their own. Functions and custom tools are plainer. */
export interface ClientTool {
  /** The function that the model calls. */
  name: string;
  itemType: ToolItem['type'];
  outputType: string;
  /** What the model is offered. */
  offer(definition: Tool): ModelTool;
  /** What an item of a call carries before its arguments are known. */
  empty: Record<string, unknown>;
  /** What it carries then; throws where the arguments make no call. */
  fields(given: Record<string, unknown>): Record<string, unknown>;
  /** The commands of a call, each of which has events of its own. */
  commands?(fields: Record<string, unknown>): string[];
  /** The arguments again, from the item. */
  given(item: ToolItem): unknown;
}

const strings = { type: 'array', items: { type: 'string' } };
const object = (properties: object, required: string[]) => ({ type: 'object', properties, required });

const shell: ClientTool = {
  name: 'shell',
  itemType: 'shell_call',
  outputType: 'shell_call_output',
  offer: () => ({
    name: 'shell',
    description: 'Run shell commands on the computer of the user, and get what they print.',
    parameters: object(
      { commands: strings, timeout_ms: { type: 'integer' }, max_output_length: { type: 'integer' } },
      ['commands'],
    ),
    strict: null,
  }),
  empty: { action: { commands: [], timeout_ms: null, max_output_length: null }, environment: null },
  fields: ({ commands, timeout_ms = null, max_output_length = null }) => ({
    action: { commands: texts(commands, 'shell'), timeout_ms, max_output_length },
    environment: null,
  }),
  commands: ({ action }) => (action as { commands: string[] }).commands,
  given: ({ action }) => action,
};

const localShell: ClientTool = {
  name: 'local_shell',
  itemType: 'local_shell_call',
  outputType: 'local_shell_call_output',
  offer: () => ({
    name: 'local_shell',
    description:
      'Run one command on the computer of the user, given as a list of words, and get what it prints.',
    parameters: object(
      { command: strings, working_directory: { type: 'string' }, timeout_ms: { type: 'integer' } },
      ['command'],
    ),
    strict: null,
  }),
  empty: { action: { type: 'exec', command: [], env: {} } },
  fields: ({ command, working_directory = null, timeout_ms = null }) => ({
    action: {
      type: 'exec',
      command: texts(command, 'local_shell'),
      env: {},
      working_directory,
      timeout_ms,
      user: null,
    },
  }),
  given: ({ action }) => action,
};

const patches = new Set(['create_file', 'update_file', 'delete_file']);

const applyPatch: ClientTool = {
  name: 'apply_patch',
  itemType: 'apply_patch_call',
  outputType: 'apply_patch_call_output',
  offer: () => ({
    name: 'apply_patch',
    description:
      'Create, update or delete a file of the user. Changes are given as a diff in the V4A format.',
    parameters: object(
      {
        type: { type: 'string', enum: [...patches] },
        path: { type: 'string' },
        diff: { type: 'string', description: 'Left out when a file is deleted.' },
      },
      ['type', 'path'],
    ),
    strict: null,
  }),
  empty: { operation: { type: 'update_file', path: '', diff: '' } },
  fields({ type, path, diff }) {
    if (!patches.has(String(type)) || typeof path !== 'string') throw noCall('apply_patch');
    return { operation: { type, path, ...(type === 'delete_file' ? {} : { diff: String(diff ?? '') }) } };
  },
  given: ({ operation }) => operation,
};

const actions = ['click', 'double_click', 'drag', 'keypress', 'move', 'screenshot', 'scroll', 'type', 'wait'];
const number = { type: 'integer' };

const computer: ClientTool = {
  name: 'computer',
  itemType: 'computer_call',
  outputType: 'computer_call_output',
  offer(definition) {
    const {
      display_width: width,
      display_height: height,
      environment,
    } = definition as Record<string, unknown>;
    const screen =
      width === undefined ? '' : ` Its screen has ${width} by ${height} pixels and shows ${environment}.`;
    return {
      name: 'computer',
      description: `Do one thing on the computer of the user, and see its screen.${screen}`,
      parameters: object(
        {
          type: { type: 'string', enum: actions },
          ...{ x: number, y: number, scroll_x: number, scroll_y: number },
          button: { type: 'string', enum: ['left', 'right', 'wheel', 'back', 'forward'] },
          ...{ text: { type: 'string' }, keys: strings },
          path: { type: 'array', items: object({ x: number, y: number }, ['x', 'y']) },
        },
        ['type'],
      ),
      strict: null,
    };
  },
  empty: { action: { type: 'screenshot' }, pending_safety_checks: [] },
  fields(given) {
    if (!actions.includes(String(given.type))) throw noCall('computer');
    return { action: given, pending_safety_checks: [] };
  },
  given: ({ action }) => action,
};

/** By the `type` of their definitions. */
export const clientTools: ReadonlyMap<string, ClientTool> = new Map([
  ['shell', shell],
  ['local_shell', localShell],
  ['apply_patch', applyPatch],
  ['computer', computer],
  ['computer_use_preview', computer],
]);

const byItem = new Map([...clientTools.values()].map((tool) => [tool.itemType as string, tool]));
const outputTypes = new Set([...clientTools.values()].map(({ outputType }) => outputType));

/** The tool whose call an item is. */
export const clientToolOf = (item: { type: string }): ClientTool | undefined => byItem.get(item.type);

export const isClientToolOutput = (item: Item): boolean => outputTypes.has(item.type);

/** The call that an output answers. Outputs of `local_shell` may name it by `id` alone. */
export const answeredCall = (output: { id: string; call_id?: unknown }): string =>
  typeof output.call_id === 'string' ? output.call_id : output.id;

/** What an output tells the model; a screenshot is told of in words and shown by `picture`. */
export function toldOutput({ type, output, status }: ToolItem): {
  text: string;
  picture: ContentPart | null;
} {
  if (type === 'computer_call_output') {
    const { image_url, file_id } = (output ?? {}) as { image_url?: string; file_id?: string };
    return {
      text: 'The screen now, as the next message shows.',
      picture: { type: 'input_image', image_url, file_id } as ContentPart,
    };
  }
  const text =
    typeof output === 'string'
      ? output
      : output === undefined || output === null
        ? ''
        : JSON.stringify(output);
  return { text: type === 'apply_patch_call_output' ? `${status}. ${text}`.trim() : text, picture: null };
}

function texts(value: unknown, tool: string): string[] {
  if (Array.isArray(value) && value.every((entry) => typeof entry === 'string')) return value;
  throw noCall(tool);
}

const noCall = (tool: string) =>
  apiError('model_error', `The model called '${tool}' with arguments that make no call. Repeat the request.`);
