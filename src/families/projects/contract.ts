import Type, { type Static } from 'typebox';
import { FormFile } from '../../kit/form.ts';
import { multipart, op } from '../../kit/operation.ts';
import { projectName } from '../../kit/project-name.ts';
import { Maybe, OneOf } from '../../kit/schema.ts';

const closed = { additionalProperties: false } as const;

/** How a project came to be. */
const origins = ['configuration', 'created', 'first use', 'import'] as const;

export const isProjectName = (name: string): boolean => projectName.test(name);

const Name = Type.String({
  pattern: projectName.source,
  description: 'Letters, digits, `_`, `.` and `-`, at most 64; not `_project`.',
});

export const Project = Type.Object({
  name: Type.String(),
  created_at: Type.Integer({ description: 'Unix seconds.' }),
  origin: OneOf(...origins),
  fork_of: Type.Union([Type.String(), Type.Null()]),
  is_default: Type.Boolean(),
  url: Type.String({ description: "The project's endpoint, as the caller reaches it." }),
});
export type Project = Static<typeof Project>;

const byName = Type.Object({ name: Type.String({ minLength: 1 }) });
const NewName = Type.Object({ name: Name }, closed);

/** All that is in a project goes through the hands of whoever does these. */
const contents = 'Microsoft.CognitiveServices/accounts/projects/contents';

const Passphrase = Type.String({
  minLength: 12,
  maxLength: 1024,
  description: 'What the secrets are sealed under. Whoever has it and the archive has them.',
});
export const ArchiveForm = Type.Object({ file: FormFile, passphrase: Type.Optional(Passphrase) });

export const operations = {
  list: op({
    method: 'GET',
    path: '/projects',
    summary: 'List the projects of this server',
    wire: 'admin',
    result: Type.Object({ value: Type.Array(Project) }),
  }),
  create: op({
    method: 'POST',
    path: '/projects',
    summary: 'Make an empty project',
    wire: 'admin',
    body: NewName,
    status: 201,
    result: Project,
  }),
  get: op({
    method: 'GET',
    path: '/projects/{name}',
    summary: 'Get a project',
    wire: 'admin',
    params: byName,
    result: Project,
  }),
  delete: op({
    method: 'DELETE',
    path: '/projects/{name}',
    summary: 'Delete a project with all that is in it',
    wire: 'admin',
    params: byName,
    status: 204,
  }),
  fork: op({
    method: 'POST',
    path: '/projects/{name}:fork',
    summary: 'Make a project that has all that this one has',
    wire: 'admin',
    dataAction: `${contents}/write`,
    params: byName,
    body: NewName,
    status: 201,
    result: Project,
  }),
  reset: op({
    method: 'POST',
    path: '/projects/{name}:reset',
    summary: 'Bring a project back to nothing, or to what the project has that it is a fork of',
    wire: 'admin',
    dataAction: `${contents}/write`,
    params: byName,
    body: Type.Object({ to: Maybe(OneOf('empty', 'origin')) }, closed),
    bodyOptional: true,
    result: Project,
  }),
  export: op({
    method: 'GET',
    path: '/projects/{name}:export',
    summary: 'Get all of a project as one archive, without the secrets of its connections',
    wire: 'admin',
    dataAction: `${contents}/read`,
    params: byName,
    answersBytes: true,
  }),
  exportWithSecrets: op({
    method: 'POST',
    path: '/projects/{name}:exportWithSecrets',
    summary: 'Get all of a project as one archive, with the secrets of its connections and tools',
    wire: 'admin',
    action: 'Microsoft.CognitiveServices/accounts/exportSecrets/action',
    dataAction: `${contents}/read`,
    params: byName,
    body: Type.Object({ passphrase: Passphrase }, closed),
    answersBytes: true,
  }),
  import: op({
    method: 'POST',
    path: '/projects/{name}:import',
    summary: 'Make a project of an archive',
    wire: 'admin',
    dataAction: `${contents}/write`,
    params: Type.Object({ name: Name }),
    consumes: multipart,
    fileLimit: 'uploadBytes',
    body: ArchiveForm,
    status: 201,
    result: Project,
  }),
};
