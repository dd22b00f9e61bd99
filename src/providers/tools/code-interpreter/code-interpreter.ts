import Type, { type Static } from 'typebox';
import { unsupportedParameter } from '../../../errors.ts';
import { Maybe, OneOf } from '../../../kit/schema.ts';
import type { CitedSource, OpenTool, ServerTool, ToolCall, ToolContext } from '../tool.ts';
import type { CodeContainers, CodeRun, MadeFile } from './code-containers.ts';
import { imageUrl } from './image-url.ts';

const Definition = Type.Object({
  type: Type.Literal('code_interpreter'),
  container: Maybe(
    Type.Union([
      Type.String({ minLength: 1, maxLength: 256 }),
      Type.Object({
        type: Type.Literal('auto'),
        file_ids: Maybe(Type.Array(Type.String({ minLength: 1 }), { maxItems: 50 })),
        memory_limit: Maybe(OneOf('1g', '4g', '16g', '64g')),
        network_policy: Maybe(Type.Object({ type: OneOf('disabled', 'allowlist') })),
      }),
    ]),
  ),
});
type Definition = Static<typeof Definition>;

const name = 'code_interpreter';
const outputsIncluded = 'code_interpreter_call.outputs';
/** For waiting until a process is free, and for starting it. */
const slackSeconds = 90;
const longestMention = 256;

const offered = {
  name,
  description:
    'Code interpreter: runs Python and shows what it prints. Variables stay between calls. Files are in ' +
    '/mnt/data; files written there are given to the user, who is told of them as sandbox:/mnt/data/NAME. There is ' +
    'the standard library of Python 3.14, no further package and no network.',
  parameters: {
    type: 'object',
    properties: { code: { type: 'string', description: 'The Python source code to run.' } },
    required: ['code'],
    additionalProperties: false,
  },
  strict: true,
};

/** Runs the model's Python in containers. Each response without a container of its own goes on with that of its context. */
export function codeInterpreterTool(containers: CodeContainers, timeoutSeconds: number): ServerTool {
  return {
    type: 'code_interpreter',
    definition: Definition,
    itemType: 'code_interpreter_call',
    idempotent: false,
    timeoutSeconds: timeoutSeconds + slackSeconds,
    async open(given, context) {
      const definition = given as Definition;
      const id = await containerOf(containers, definition, context);
      const files = await filesOf(containers, definition, context);
      return openInterpreter(containers, id, files, context);
    },
    replay: (item) => ({
      name,
      arguments: JSON.stringify({ code: typeof item.code === 'string' ? item.code : '' }),
      output: replayedOutput(item.outputs),
    }),
  };
}

interface GivenFiles {
  ids: readonly string[];
  names: readonly string[];
}

async function filesOf(
  containers: CodeContainers,
  { container }: Definition,
  { project, userIdentity, target }: ToolContext,
): Promise<GivenFiles> {
  const ids = (typeof container === 'object' && container?.file_ids) || [];
  const names = await containers.checkFiles(ids, { project, userIdentity }, `${target}.container.file_ids`);
  return { ids, names };
}

/** Tells the model of the files, which it has no other way to know of. */
const offeredWith = ({ names }: GivenFiles) =>
  names.length === 0
    ? offered
    : {
        ...offered,
        description: `${offered.description} Files that were uploaded for it: ${names.map((file) => `/mnt/data/${file}`).join(', ')}.`,
      };

function openInterpreter(
  containers: CodeContainers,
  id: string,
  files: GivenFiles,
  context: ToolContext,
): OpenTool {
  const { project, userIdentity, include } = context;
  return {
    functions: [offeredWith(files)],
    functionOf: () => name,
    needsApproval: () => false,
    fields: (call) => ({ container_id: id, code: codeOf(call), outputs: null }),
    argumentEvents: {
      delta: 'response.code_interpreter_call_code.delta',
      done: 'response.code_interpreter_call_code.done',
      part: { member: 'code', of: codeOf },
    },
    phases: {
      started: 'response.code_interpreter_call.in_progress',
      completed: 'response.code_interpreter_call.completed',
    },
    async *run(call, signal) {
      yield 'response.code_interpreter_call.interpreting';
      const result = await containers.run(
        { id, owner: { project, userIdentity }, fileIds: files.ids },
        codeOf(call),
        signal,
      );
      return {
        fields: { outputs: include.includes(outputsIncluded) ? outputsOf(result) : null },
        output: toldOutput(result),
        sources: result.files.flatMap((file) => sourcesOf(file, id)),
      };
    },
  };
}

async function containerOf(
  containers: CodeContainers,
  { container }: Definition,
  { project, userIdentity, context, output, target }: ToolContext,
): Promise<string> {
  const owner = { project, userIdentity };
  if (typeof container === 'string') {
    await containers.require(container, owner, `${target}.container`);
    return container;
  }
  if (container?.network_policy?.type === 'allowlist') {
    throw unsupportedParameter(
      `${target}.container.network_policy`,
      'Code in containers has no network here.',
    );
  }
  containers.checkMemory(container?.memory_limit, `${target}.container.memory_limit`);
  const isCall = (item: Record<string, unknown>) => item.type === 'code_interpreter_call';
  const known = (output.findLast(isCall) ?? context.findLast(isCall))?.container_id;
  if (typeof known === 'string' && (await containers.isActive(known, owner))) return known;
  return containers.newId();
}

function codeOf(call: ToolCall): string {
  try {
    const { code } = JSON.parse(call.arguments) as { code?: unknown };
    return typeof code === 'string' ? code : '';
  } catch {
    return '';
  }
}

type Output = { type: 'logs'; logs: string } | { type: 'image'; url: string };

function outputsOf({ logs, files }: CodeRun): Output[] {
  const images = files.flatMap(({ content }) => imageUrl(content) ?? []);
  return [
    ...(logs === '' ? [] : [{ type: 'logs' as const, logs }]),
    ...images.map((url) => ({ type: 'image' as const, url })),
  ];
}

/** Models are told of images by name: they read text here. */
function toldOutput({ logs, files }: CodeRun): string {
  const made = files.map(({ path, content }) => `sandbox:${path} (${content.length} bytes)`);
  const printed = logs === '' && made.length === 0 ? '(The code printed nothing.)' : logs;
  if (made.length === 0) return printed;
  const gap = printed === '' || printed.endsWith('\n') ? '' : '\n';
  return `${printed}${gap}Files written: ${made.join(', ')}`;
}

function sourcesOf({ id, path }: MadeFile, containerId: string): CitedSource[] {
  const filename = path.slice(path.lastIndexOf('/') + 1);
  const annotation = {
    type: 'container_file_citation',
    container_id: containerId,
    file_id: id,
    filename,
  };
  return [`sandbox:${path}`, path, filename]
    .filter((mention) => mention.length <= longestMention)
    .map((mention) => ({ mention, annotation }));
}

function replayedOutput(outputs: unknown): string {
  if (!Array.isArray(outputs)) return 'The code was run. What it printed is no longer at hand.';
  const told = (outputs as Partial<Output & { logs: string }>[]).map(({ type, logs }) =>
    type === 'logs' ? String(logs) : '[an image]',
  );
  return told.length === 0 ? '(The code printed nothing.)' : told.join('\n');
}
