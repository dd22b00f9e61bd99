import { notFound } from '../../errors.ts';
import { azurePage } from '../../kit/azure-page.ts';
import type { ConnectionCredentials } from '../../kit/connection.ts';
import { Answer, type Handlers } from '../../kit/operation.ts';
import { connectionId } from './connection-id.ts';
import type { Connection, Credentials, operations } from './contract.ts';
import type { ConnectionDirectory, KnownConnection } from './directory.ts';

const mostPerPage = 100;

export function connectionsService(directory: ConnectionDirectory): Handlers<typeof operations> {
  return {
    async list(ctx, { query }) {
      const { connectionType, defaultConnection, top, skip = 0, maxpagesize = mostPerPage } = query;
      const wanted = (await directory.list(ctx.project))
        .filter(({ type }) => connectionType === undefined || type === connectionType)
        .filter(({ isDefault }) => defaultConnection === undefined || isDefault === defaultConnection)
        .sort((a, b) => (a.name < b.name ? -1 : 1))
        .slice(skip, top === undefined ? undefined : skip + top);
      const elements = wanted.map((found) => ({ key: found.name, value: wireForm(ctx.project, found) }));
      return azurePage(ctx, '/connections', query, elements, Math.min(maxpagesize, mostPerPage));
    },

    async get(ctx, { params: { name } }) {
      const found = await directory.find(ctx.project, name);
      if (found === undefined) throw notFound('connection', name, 'name');
      return wireForm(ctx.project, found);
    },

    async getWithCredentials(ctx, { params: { name } }) {
      const found = await directory.findWithCredentials(ctx.project, name);
      if (found === undefined) throw notFound('connection', name, 'name');
      const { credentials, ...connection } = found;
      const shown = wireForm(ctx.project, { ...connection, credentialType: credentials.type });
      const body = { ...shown, credentials: toWire(credentials) };
      return new Answer(200, body, { 'cache-control': 'no-store' });
    },

    async set(ctx, { params: { name }, body }) {
      const { type, target, isDefault, metadata, credentials } = body;
      const { isNew, connection } = await directory.set(ctx.project, {
        name,
        type,
        target,
        isDefault: isDefault ?? false,
        metadata: metadata ?? {},
        credentials: fromWire(credentials ?? { type: 'None' }),
      });
      return new Answer(isNew ? 201 : 200, wireForm(ctx.project, connection));
    },

    async delete(ctx, { params: { name } }) {
      await directory.delete(ctx.project, name);
      return undefined;
    },
  };
}

function wireForm(project: string, { credentialType, ...connection }: KnownConnection): Connection {
  const { name, type, target, isDefault, metadata } = connection;
  return {
    name,
    id: connectionId(project, name),
    type,
    target,
    isDefault,
    credentials: { type: credentialType },
    metadata,
  };
}

function toWire(credentials: ConnectionCredentials): Credentials {
  switch (credentials.type) {
    case 'ApiKey':
      return { type: 'ApiKey', key: credentials.apiKey };
    case 'SAS':
      return { type: 'SAS', SAS: credentials.sasToken };
    case 'CustomKeys':
      return { ...credentials.keys, type: 'CustomKeys' };
    default:
      return { type: credentials.type };
  }
}

function fromWire(credentials: Credentials): ConnectionCredentials {
  switch (credentials.type) {
    case 'ApiKey':
      return { type: 'ApiKey', apiKey: credentials.key };
    case 'SAS':
      return { type: 'SAS', sasToken: credentials.SAS };
    case 'CustomKeys': {
      const { type: _, ...keys } = credentials;
      return { type: 'CustomKeys', keys };
    }
    default:
      return { type: credentials.type };
  }
}
