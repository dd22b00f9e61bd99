/** The resources that have a command each: what can be done with them, by which operation, and what a list shows. */
import type { Families } from '../client/index.ts';

export interface Resource {
  summary: string;
  /** What the client calls it. */
  family: keyof Families;
  /** Operation of each action; what follows the action fills the places in its path, in their order. */
  actions: Record<string, string>;
  /** Headings of a list, and where in an element the value is: the first place that has one. */
  columns: Record<string, string>;
}

/** Operations that the family does not have are type errors. */
const resource = <F extends keyof Families>(
  family: F,
  rest: Omit<Resource, 'family' | 'actions'> & { actions: Record<string, keyof Families[F] & string> },
): Resource => ({ family, ...rest });

const assetActions = {
  list: 'list',
  versions: 'listVersions',
  get: 'get',
  set: 'createOrUpdate',
  delete: 'delete',
} as const;
const assetColumns = { NAME: 'name', VERSION: 'version', TYPE: 'type', DESCRIPTION: 'description' };

export const resources = {
  agents: resource('agents', {
    summary: 'agents and their versions',
    actions: {
      list: 'list',
      get: 'get',
      create: 'create',
      update: 'update',
      delete: 'delete',
      enable: 'enable',
      disable: 'disable',
      versions: 'listVersions',
      'create-version': 'createVersion',
      'delete-version': 'deleteVersion',
    },
    columns: {
      NAME: 'name',
      VERSION: 'versions.latest.version|version',
      KIND: 'versions.latest.definition.kind|definition.kind',
      MODEL: 'versions.latest.definition.model|definition.model',
      STATE: 'state|status',
    },
  }),
  conversations: resource('conversations', {
    summary: 'conversations and their items',
    actions: {
      list: 'list',
      get: 'retrieve',
      create: 'create',
      update: 'update',
      delete: 'delete',
      items: 'listItems',
      'add-items': 'createItems',
    },
    columns: { ID: 'id', CREATED: 'created_at', TYPE: 'type', ROLE: 'role', STATUS: 'status' },
  }),
  responses: resource('responses', {
    summary: 'responses; `run` makes one and prints its text as it comes',
    actions: {
      list: 'list',
      get: 'retrieve',
      create: 'create',
      delete: 'delete',
      cancel: 'cancel',
      input: 'inputItems',
      run: 'create',
    },
    columns: {
      ID: 'id',
      CREATED: 'created_at',
      STATUS: 'status',
      MODEL: 'model',
      TYPE: 'type',
      ROLE: 'role',
    },
  }),
  files: resource('files', {
    summary: 'uploaded files',
    actions: { list: 'list', get: 'retrieve', upload: 'create', download: 'content', delete: 'delete' },
    columns: {
      ID: 'id',
      BYTES: 'bytes',
      CREATED: 'created_at',
      PURPOSE: 'purpose',
      STATUS: 'status',
      NAME: 'filename',
    },
  }),
  'vector-stores': resource('vectorStores', {
    summary: 'vector stores and the files in them',
    actions: {
      list: 'list',
      get: 'retrieve',
      create: 'create',
      update: 'update',
      delete: 'delete',
      search: 'search',
      files: 'listFiles',
      attach: 'createFile',
      detach: 'deleteFile',
    },
    columns: {
      ID: 'id',
      CREATED: 'created_at',
      STATUS: 'status',
      BYTES: 'usage_bytes',
      FILES: 'file_counts.total',
      NAME: 'name',
    },
  }),
  containers: resource('containers', {
    summary: 'containers of the code interpreter and the files in them',
    actions: {
      list: 'list',
      get: 'retrieve',
      create: 'create',
      delete: 'delete',
      files: 'listFiles',
      download: 'fileContent',
    },
    columns: { ID: 'id', CREATED: 'created_at', STATUS: 'status', BYTES: 'bytes', NAME: 'name|path' },
  }),
  datasets: resource('datasets', {
    summary: 'datasets and their versions',
    actions: assetActions,
    columns: assetColumns,
  }),
  indexes: resource('indexes', {
    summary: 'indexes and their versions',
    actions: assetActions,
    columns: assetColumns,
  }),
  deployments: resource('deployments', {
    summary: 'model deployments',
    actions: { list: 'list', get: 'get' },
    columns: {
      NAME: 'name',
      MODEL: 'modelName',
      VERSION: 'modelVersion',
      PUBLISHER: 'modelPublisher',
      CONNECTION: 'connectionName',
    },
  }),
} as const satisfies Record<string, Resource>;

export type ResourceName = keyof typeof resources;

export const isResource = (name: string): name is ResourceName => Object.hasOwn(resources, name);
