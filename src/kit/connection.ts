/** What a connection is, whoever keeps it: the configuration, the store, or the tool that uses it. */

export const connectionTypes = [
  'AzureOpenAI',
  'AzureBlob',
  'AzureStorageAccount',
  'CognitiveSearch',
  'CosmosDB',
  'ApiKey',
  'AppConfig',
  'AppInsights',
  'CustomKeys',
  'RemoteTool_Preview',
  'OpenAPI',
  'RemoteA2A',
] as const;
export type ConnectionType = (typeof connectionTypes)[number];

export const credentialTypes = [
  'ApiKey',
  'SAS',
  'CustomKeys',
  'AAD',
  'None',
  'AgenticIdentityToken_Preview',
] as const;
export type CredentialType = (typeof credentialTypes)[number];

export type ConnectionCredentials =
  | { type: 'ApiKey'; apiKey: string }
  | { type: 'SAS'; sasToken: string }
  | { type: 'CustomKeys'; keys: Record<string, string> }
  | { type: 'AAD' | 'None' | 'AgenticIdentityToken_Preview' };

export const connectionName = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;
export const connectionNameRule = 'a name of letters, digits, `_`, `.` and `-`, at most 64';

/** An address or another identifier of the service. Shown to everybody, so that no password may stand in it. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused.
export const connectionTarget = /^(?![A-Za-z][A-Za-z0-9+.-]*:\/\/[^/?#]*@)[^\u0000-\u001f\u007f]{1,2048}$/;
export const connectionTargetRule = 'one line of at most 2048 characters, without user or password';

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused.
export const connectionSecret = /^[^\u0000-\u001f\u007f]{1,16384}$/;

/** On the wire the keys stand beside `type`, whose name none of them can have. */
export const customKeyName = /^(?!type$)[A-Za-z0-9][A-Za-z0-9_. -]{0,127}$/;
export const customKeyNameRule =
  'names of letters, digits, `_`, `.`, `-` and spaces, at most 128, none of them `type`';
export const mostCustomKeys = 64;
