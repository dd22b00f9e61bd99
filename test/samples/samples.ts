/** The official samples that are run, and by what in their output one sees that they worked. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mcpTestServer } from '../../src/providers/tools/mcp/testing/mcp-server.ts';
import { answersMessage, testAgent } from '../../src/providers/tools/testing/a2a-agent.ts';
import { fabricService } from '../../src/providers/tools/testing/fabric-service.ts';
import { graphService } from '../../src/providers/tools/testing/graph-service.ts';
import { httpServer, json } from '../../src/providers/tools/testing/http-server.ts';
import { playwrightService } from '../../src/providers/tools/testing/playwright-service.ts';
import { searchKey, searchServices } from '../../src/providers/tools/testing/search-services.ts';

/** A service that a sample talks to. */
export interface StandIn {
  variables: Record<string, string>;
  /** Instead of a file. */
  config?: object;
  close(): Promise<void>;
}

export interface Sample {
  /** Below the samples folder. */
  path: string;
  /** Text that must show, in this order, each with what it proves. */
  shows: [text: RegExp, because: string][];
  /** The same for the log file that a sample writes and names in its output. */
  logs?: [text: RegExp, because: string][];
  /** Text that must show nowhere. */
  hides?: [text: RegExp, because: string][];
  variables?: Record<string, string>;
  /** A configuration beside this file, where the sample asks for a deployment by name. */
  config?: string;
  /** Stands in for a service that the sample talks to, and says by variables, or a configuration, where it is. */
  standIn?(): Promise<StandIn>;
}

type Shown = Sample['shows'];

/** Searched through a connection. */
async function searchedServices(): Promise<StandIn> {
  const { url, close } = await searchServices();
  const credentials = { type: 'ApiKey', key: { env: 'STAND_IN_KEY' } };
  return {
    variables: { STAND_IN_KEY: searchKey },
    config: { connections: [{ name: 'searched', type: 'ApiKey', target: url, credentials }] },
    close,
  };
}

/** An MCP server, as Web IQ is. */
async function webIq(): Promise<StandIn> {
  const inputSchema = { type: 'object', properties: { query: { type: 'string' } }, required: ['query'] };
  const run = ({ query }: Record<string, unknown>) => `The web was asked: ${query}`;
  const { url, close } = await mcpTestServer({
    tools: [{ name: 'web', description: 'Search the web.', inputSchema, run }],
  });
  const credentials = { type: 'ApiKey', key: { env: 'STAND_IN_KEY' } };
  return {
    variables: { STAND_IN_KEY: searchKey },
    config: { connections: [{ name: 'web-iq', type: 'RemoteTool_Preview', target: url, credentials }] },
    close,
  };
}

const customSearch = {
  standIn: searchedServices,
  variables: {
    BING_CUSTOM_SEARCH_PROJECT_CONNECTION_ID: 'searched',
    BING_CUSTOM_SEARCH_INSTANCE_NAME: 'mine',
    BING_CUSTOM_USER_INPUT: 'Search Bing for the harbour of Seattle.',
  },
  shows: [
    [/Agent endpoint configured for version 1/, 'the agent was made'],
    [
      /URL Citation: https:\/\/harbour\.example\/, Start index: \d+, End index: \d+/,
      'the page that the instance finds is cited',
    ],
    [/Full response: .*Seattle has a harbour/, 'the answer has what the page says'],
  ] as Shown,
};

async function echoingAgent() {
  const agent = await testAgent({ execute: answersMessage((question) => `The agent heard: ${question}`) });
  return { variables: { A2A_ENDPOINT: agent.url }, close: agent.close };
}

const imageModel = 'gpt-image-1';
const onePixel =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

/** A model server that makes the image that the sample asks for, and no other. */
async function imageMaker() {
  const server = await httpServer((response, request) => {
    const { model, prompt, size, quality } = JSON.parse(request.body.toString());
    const isAsked =
      request.url === '/v1/images/generations' &&
      [model, size, quality].join() === `${imageModel},1024x1024,low` &&
      /Microsoft logo/.test(prompt);
    const answer = isAsked
      ? json({ created: 1, data: [{ b64_json: onePixel }] })
      : json({ error: { message: 'This is not what the sample asks for.' } }, 400);
    answer(response, request);
  });
  const variables = {
    OPENAI_BASE_URL: `${server.url}/v1`,
    OPENAI_API_KEY: 'key-of-the-stand-in',
    OPENAI_MODEL: imageModel,
    IMAGE_GENERATION_MODEL_DEPLOYMENT_NAME: imageModel,
  };
  return { variables, close: server.close };
}

const token = 'sample-token';
const tokenKey = { Authorization: { env: 'SAMPLE_TOKEN' } };
const tokenVariable = { SAMPLE_TOKEN: `Bearer ${token}` };
const policy = 'https://contoso.sharepoint.com/sites/policies/Leave.docx';

async function sharepointSite(): Promise<StandIn> {
  const graph = await graphService(token, [
    {
      webUrl: policy,
      extracts: [{ text: 'Everybody has thirty days of leave a year.' }],
      resourceMetadata: { title: 'Leave policy' },
    },
  ]);
  const keys = { ...tokenKey, graph_url: { env: 'GRAPH_URL' } };
  return {
    variables: { ...tokenVariable, GRAPH_URL: graph.url },
    config: {
      connections: [
        {
          name: 'my-sharepoint',
          type: 'CustomKeys',
          target: 'https://contoso.sharepoint.com/sites/policies',
          credentials: { type: 'CustomKeys', keys },
        },
      ],
    },
    close: graph.close,
  };
}

async function salesDataAgent(): Promise<StandIn> {
  const service = await fabricService({ token, answer: () => 'In all, 8,421 bicycles were sold.' });
  return {
    variables: { ...tokenVariable, WORKSPACE: 'ws-1', ARTIFACT: 'agent-1', FABRIC_URL: service.url },
    config: {
      connections: [
        {
          name: 'my-fabric',
          type: 'CustomKeys',
          target: '_',
          credentials: {
            type: 'CustomKeys',
            keys: {
              ...tokenKey,
              'workspace-id': { env: 'WORKSPACE' },
              'artifact-id': { env: 'ARTIFACT' },
              fabric_url: { env: 'FABRIC_URL' },
            },
          },
        },
      ],
    },
    close: service.close,
  };
}

const withToken = (name: string, type: string, target: string) => ({
  name,
  type,
  target,
  credentials: { type: 'CustomKeys', keys: tokenKey },
});

async function workIq(): Promise<StandIn> {
  const agent = await testAgent({ execute: answersMessage(() => 'You have three unread mails from Ann.') });
  return {
    variables: tokenVariable,
    config: { connections: [withToken('my-work-iq', 'RemoteA2A', `${agent.url}/a2a`)] },
    close: agent.close,
  };
}

async function browserWorkspace(): Promise<StandIn> {
  const text = 'This domain is for use in documentation examples.';
  const service = await playwrightService({
    token,
    pages: { 'https://example.com': { title: 'Example Domain', text } },
  });
  return {
    variables: tokenVariable,
    config: { connections: [withToken('my-browser', 'CustomKeys', service.url)] },
    close: service.close,
  };
}

async function fabricIq(): Promise<StandIn> {
  const server = await mcpTestServer({
    tools: [
      {
        name: 'search_ontology',
        description: 'Answers questions about the plant.',
        inputSchema: {
          type: 'object',
          properties: { query: { type: 'string' } },
          required: ['query'],
        },
        run: () => 'The plant has 17 lines.',
      },
    ],
  });
  return {
    variables: tokenVariable,
    config: { connections: [withToken('my-fabric-iq', 'RemoteTool_Preview', server.url)] },
    close: server.close,
  };
}

/** The weather service of the sample's OpenAPI document. */
async function weatherService(): Promise<StandIn> {
  const server = await httpServer((response, request) => {
    const place = decodeURIComponent(new URL(request.url, 'http://a').pathname.slice(1));
    json({ current: `It is 11 degrees in ${place}.` })(response, request);
  });
  return {
    variables: {},
    config: { outbound: { hosts: { 'wttr.in': server.url } } },
    close: server.close,
  };
}

/** The documentation server that the MCP samples name. */
async function documentationServer(): Promise<StandIn> {
  const server = await mcpTestServer({
    tools: [
      {
        name: 'fetch_azure_rest_api_docs',
        description: 'Fetch the Readme of the Azure REST API specifications, to summarize it.',
        inputSchema: { type: 'object', properties: {} },
        run: () => 'This repository is the canonical source for REST API specifications for Microsoft Azure.',
      },
    ],
  });
  return {
    variables: {},
    config: { outbound: { hosts: { 'gitmcp.io': new URL(server.url).origin } } },
    close: server.close,
  };
}

/** GitHub's own, behind a connection of custom keys, as Foundry has them: without a target. */
async function githubServer(): Promise<StandIn> {
  const server = await mcpTestServer({
    tools: [
      {
        name: 'get_me',
        description: 'Get my profile in Github, with my username.',
        inputSchema: { type: 'object', properties: {} },
        run: (_, request) =>
          request?.headers.authorization === `Bearer ${token}`
            ? 'Your username is octo-ann.'
            : 'Who are you?',
      },
    ],
  });
  return {
    variables: { ...tokenVariable, MCP_PROJECT_CONNECTION_ID: 'my-github' },
    config: {
      outbound: { hosts: { 'api.githubcopilot.com': new URL(server.url).origin } },
      connections: [withToken('my-github', 'CustomKeys', '_')],
    },
    close: server.close,
  };
}

const franceThenParis: Shown = [
  [/Response output: .*248,573 square miles/, 'the model had the question'],
  [/Response output: .*Paris/, '"the capital city" has an answer only with the first turn before it'],
];
const feetInMile: Shown = [[/Response output: .*5,280 feet/, 'the model had the question']];
const calendarEvent: Shown = [
  [
    /Response output: \{"name": ?"[^"]+", ?"date": ?"2025-11-07", ?"participants": ?\["Alice", ?"Bob"\]\}/,
    'the answer is JSON of the schema, with the date in the form its description asks for',
  ],
];
const streamedCapital: Shown = [
  [/Stream response created with ID: resp_\w+/, 'response.created comes first and carries the response'],
  [/capital of France is Paris/, 'the deltas, printed one after another, are the text'],
  [/Response completed\. Access final text/, 'the stream ends with response.completed'],
];
const horoscope: Shown = [
  [/Response output: *\n/, 'a response that calls a function has no text'],
  [/'type': 'function_call_output', 'call_id': 'call_\w+'/, 'the call reached the program'],
  [/Aquarius: Next Tuesday you will befriend a baby otter/, 'its argument came from the question'],
  [
    /Agent response: .*Aquarius: Next Tuesday you will befriend a baby otter/,
    "the answer uses the tool's output",
  ],
];
const codeRun: Shown = [
  [/Created conversation \(id: conv_\w+\)/, 'a conversation was made'],
  [/Response completed \(id: resp_\w+\)/, 'the response has ended'],
  [
    /Code Interpreter code:\n ?print\("Could you please generate/,
    'the model wrote code, and the item carries it',
  ],
  [/Agent response: .*multiplication chart/, 'what the code printed reached the model'],
];
const fileKept: Shown = [
  [/FileObject\(id='file_\w+', bytes=\d+, .*filename='test_file\.jsonl'/, 'the file was uploaded'],
  [/FileObject\(.*status='processed'/, 'waiting for it has an end'],
  [/b'\{/, 'its content came back'],
  [/Listing all files:\nFileObject\(id='file_\w+'/, 'it is listed'],
  [/Successfully deleted file: file_\w+/, 'it was deleted'],
];
const endpointSet: [RegExp, string] = [
  /Agent endpoint configured for version 1/,
  'the merge patch of the agent was taken',
];
const conversationMade: [RegExp, string] = [
  /Created conversation .*\(id: conv_\w+\)/,
  'a conversation was made',
];
const conversationDeleted: [RegExp, string] = [/Conversation deleted/, 'and deleted again'];
const agentShown: [RegExp, string] = [
  /Agent \w+ \((?:id: MyAgent, name: MyAgent|name: MyAgent, id: MyAgent), version: 1\)/,
  'the agent as read back carries its latest version',
];
const loggedTurn: Shown = [
  endpointSet,
  [/Conversation created \(id: conv_\w+\)/, 'a conversation was made'],
  ...feetInMile,
  conversationDeleted,
];
const retrieved: Shown = [
  [/Conversation created \(id: conv_\w+\)/, 'a conversation without items was made'],
  [/Agent retrieved \(id: MyAgent, name: MyAgent, version: 1\)/, 'the agent was read back'],
  [/Retrieved conversation \(id: conv_\w+\)/, 'the conversation was read back'],
  [/Added a user message to the conversation/, 'an item was added'],
  ...feetInMile,
];
const funFacts: Shown = [
  [/Assistant: .*Eiffel Tower .*330 meters/, 'the model had the question'],
  [/Assistant: .*Give me one fun fact about the Eiffel Tower/, 'the second call carried the whole exchange'],
];
const deployments: Shown = [
  [/List all deployments:\n.*'name': 'builtin'/, 'the list has the deployment'],
  [
    /publisher `Microsoft`:\nList all deployments of model `Phi-4`:\nGet a single/,
    'both filters are applied',
  ],
  [/Type: ModelDeployment\nName: builtin\n/, 'the answer is read as a ModelDeployment'],
  [/Model Version: \S+\nModel Publisher: \S+\nCapabilities: \{.+\}\nSKU: \{.+\}/, 'its members are set'],
];
const tubeStatus: Shown = [
  endpointSet,
  [/URL Citation: https:\/\/tfl\.gov\.uk\/\S+, Start index: \d+, End index: \d+/, 'the page is cited'],
  [/Full response: .*Good service on all London Underground lines/, 'the answer has what the page says'],
];
const fileTaken: Shown = [
  [/Vector store created \(id: vs_\w+\)/, 'the store was made'],
  [/File uploaded to vector store \(id: [\w-]+\)/, 'the client has waited until the file was taken in'],
  [/Agent created \(id: .+, version: 1\)/, 'the agent was made'],
];
const fileFound: Shown = [
  ...fileTaken,
  [/Agent response: .*product_info\.md.*Contoso/, 'the answer has what the file says'],
  [/Agent deleted/, 'the agent was deleted'],
];
const fileCited: Shown = [
  ...fileTaken,
  [/Delta: /, 'the answer is streamed'],
  [/Full response: .*Contoso/, 'it has what the file says'],
  [/File Citation - Filename: product_info\.md, File ID: [\w-]+/, 'the file is cited'],
  [/Agent response: .*Smart Eyewear/, 'the second answer as well'],
  [/Vector store deleted/, 'the store was deleted'],
];
const imageSaved: Shown = [
  endpointSet,
  [/Response created: resp_\w+/, 'the response has ended'],
  [/Image saved to: \S+microsoft\.png/, 'the call is an item with the image, made as the agent says'],
];
const computerUsed: Shown = [
  [/Typing text: 'OpenAI news'/, 'the first call reached the program as a typed action'],
  [/Detected ENTER key press/, 'its screenshot led to the second'],
  [
    /Agent completed the task:\nFinal status: completed\nFinal result: .*two results/,
    'and that one to the answer',
  ],
];
const connections: Shown = [
  [/List all connections:\n.*'name': 'my-insights'.*\n.*'name': 'my-openai'/, 'the list has both'],
  [
    /of a particular type:\n\{.*'name': 'my-openai'.*\nGet the default/,
    'the filter leaves the one of the other type out',
  ],
  [/type, without its credentials:\n.*'credentials': \{'type': 'ApiKey'\}/, 'the default has no secrets'],
  [/type, with its credentials:\n.*'key': 'openai-secret'/, 'but can be had with them'],
  [/`my-openai`, without its credentials:\n.*'credentials': \{'type': 'ApiKey'\}/, 'and so by name'],
  [/`my-openai`, with its credentials:\n.*'key': 'openai-secret'/, 'with them, too'],
];
const connectionString: Shown = [
  [
    /Application Insights connection string:\nInstrumentationKey=1;IngestionEndpoint=https:\/\/in\//,
    'the key of the default connection is the connection string',
  ],
];
const connected = {
  config: 'connections.yaml',
  variables: {
    CONNECTION_NAME: 'my-openai',
    MY_OPENAI_KEY: 'openai-secret',
    MY_INSIGHTS_STRING: 'InstrumentationKey=1;IngestionEndpoint=https://in/',
  },
};
const nativeLog: Shown = [
  [/Request method: 'POST'/, 'the native calls are logged'],
  [/Response status: '200'/, 'with their answers'],
  [/"object":"agent\.version"/, 'bodies included'],
];
const openaiLog: Shown = [
  [
    /==> Request:\nPOST \S+\/agents\/MyAgent\/endpoint\/protocols\/openai\/conversations\?api-version=v1/,
    'the endpoint',
  ],
  [/<== Response:\n200 OK/, 'the calls through the OpenAI client are logged'],
];
const aToken: [RegExp, string][] = [[/bearer ey\w/i, 'a token has no place in a log that redacts']];
const traced = {
  AZURE_EXPERIMENTAL_ENABLE_GENAI_TRACING: 'true',
  OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT: 'true',
};

const datasets: Shown = [
  [/'type': 'uri_file'.*'isReference': False|'isReference': False.*'type': 'uri_file'/, 'the file is ours'],
  [/'type': 'uri_folder'/, 'the folder became a version'],
  [/Get credentials of an existing[^\n]*\n.*'sasUri': 'https:/, 'credentials came back'],
  [/List latest versions[^\n]*\n.*'version': '2\.0'/, 'the latest is the second'],
  [/Listing all versions[^\n]*\n.*'version': '2\.0'.*\n.*'version': '1\.0'/, 'both versions are listed'],
  [/Delete all Dataset versions/, 'both were deleted'],
];

const downloaded: Shown = [
  [/Looping over all blobs/, 'the container can be listed'],
  [/Downloaded: data_file1\.txt/, 'a file came back'],
  [/Downloaded: data_subfolder1?\//, 'and one of a folder'],
  [/Delete the dataset created above/, 'the dataset was deleted'],
];

const indexes: Shown = [
  [/Create Index[^\n]*\n.*'connectionName': 'my-ai-search-connection-name'/, 'the index was made'],
  [/List latest versions[^\n]*\n.*'index-test'/, 'it is listed'],
  [/Listing all versions[^\n]*\n.*'1\.0'/, 'with its version'],
  [/Delete Index/, 'it was deleted'],
];

const registeredModel: Shown = [
  [/uploaded (weights\.bin|config\.json)/, 'files were uploaded'],
  [/'weightType': 'FullWeight'/, 'the model is registered'],
  [/Delete the model version/, 'it was deleted'],
];

const modelLife: Shown = [
  [/Created \(name: sample-model(-async)?, version: 1, blob_uri: https:/, 'the model is there'],
  [/List all versions[^\n]*\n {2}- 1/, 'its version is listed'],
  [/ {2}- sample-model(-async)?@1/, 'and the model'],
  [/Credentials \(type: DatasetCredential\)/, 'credentials came back'],
  [/Update description and tags/, 'description and tags change'],
  [/Delete/, 'it was deleted'],
];

/** The program `azcopy` on the path. */
async function azcopy(): Promise<StandIn> {
  const directory = mkdtempSync(join(tmpdir(), 'bloomery-azcopy-'));
  const script = join(import.meta.dirname, 'azcopy.ts');
  writeFileSync(join(directory, 'azcopy'), `#!/bin/sh\nexec '${process.execPath}' '${script}' "$@"\n`, {
    mode: 0o755,
  });
  return {
    variables: { PATH: `${directory}:${process.env.PATH}` },
    close: async () => rmSync(directory, { recursive: true }),
  };
}

/** A sample and its twin with an async client. */
const withSync = (path: string, shows: Shown): Sample[] =>
  [path, path.replace('.py', '_async.py')].map((one) => ({ path: one, shows, config: 'assets.yaml' }));

export const samples: Sample[] = [
  { path: 'responses/sample_responses_basic.py', shows: franceThenParis },
  { path: 'responses/sample_responses_basic_async.py', shows: franceThenParis },
  { path: 'responses/sample_responses_basic_without_aiprojectclient.py', shows: feetInMile },
  { path: 'responses/sample_responses_basic_without_aiprojectclient_async.py', shows: feetInMile },
  { path: 'responses/sample_responses_stream_events.py', shows: streamedCapital },
  { path: 'responses/sample_responses_stream_manager.py', shows: streamedCapital },
  { path: 'responses/sample_responses_structured_output.py', shows: calendarEvent },
  {
    path: 'responses/sample_responses_image_input.py',
    shows: [
      [
        /Response output: .*1 image \(PNG, 778×450 pixels, 52410 bytes\)/,
        'the whole image reached the model',
      ],
    ],
  },
  {
    path: 'responses/sample_responses_model_router.py',
    config: 'model-router.yaml',
    shows: [
      [/Response output:\n.*sky appears blue/, 'the model had the question'],
      [/Status: completed\n {2}Selected model: model-router\n/, 'the deployment of that name answered'],
      [/Input tokens: [1-9]\d*\n {2}Output tokens: [1-9]\d*\n {2}Total tokens: [1-9]\d*/, 'usage is told'],
    ],
  },
  {
    path: 'agents/sample_agent_basic.py',
    shows: [
      [/Agent created \(id: MyAgent:1, name: MyAgent, version: 1\)/, 'the version was made, with the agent'],
      endpointSet,
      conversationMade,
      franceThenParis[0] as [RegExp, string],
      [/Added a second user message/, 'an item was added'],
      franceThenParis[1] as [RegExp, string],
      conversationDeleted,
    ],
  },
  {
    path: 'agents/sample_agent_basic_async.py',
    shows: [endpointSet, agentShown, conversationMade, ...franceThenParis, conversationDeleted],
  },
  { path: 'agents/sample_agent_retrieve_basic.py', shows: [endpointSet, ...retrieved] },
  { path: 'agents/sample_agent_retrieve_basic_async.py', shows: [endpointSet, agentShown, ...retrieved] },
  {
    path: 'agents/sample_agent_stream_events.py',
    shows: [endpointSet, conversationMade, ...streamedCapital, conversationDeleted],
  },
  {
    path: 'agents/sample_agent_structured_output.py',
    shows: [endpointSet, conversationMade, ...calendarEvent, conversationDeleted],
  },
  {
    path: 'agents/sample_agent_structured_output_async.py',
    shows: [endpointSet, agentShown, conversationMade, ...calendarEvent, conversationDeleted],
  },
  {
    path: 'agents/tools/sample_agent_openapi.py',
    standIn: weatherService,
    shows: [
      [
        /Agent response: .*It is 11 degrees in Seattle/,
        'the operation was called, for the place asked about',
      ],
    ],
  },
  ...['', '_async'].map((variant) => ({
    path: `agents/tools/sample_agent_mcp${variant}.py`,
    standIn: documentationServer,
    shows: [
      [/Final input:\n\[.*mcp_approval_response/, 'the call waited for an approval'],
      [/Agent response: .*canonical source/, 'and was made with it'],
    ] as Shown,
  })),
  ...['', '_async'].map((variant) => ({
    path: `agents/tools/sample_agent_mcp_with_project_connection${variant}.py`,
    standIn: githubServer,
    shows: [[/esponse: .*octo-ann/, 'the call went out with the key of the connection']] as Shown,
  })),
  { path: 'agents/tools/sample_agent_function_tool.py', shows: [endpointSet, ...horoscope] },
  {
    path: 'agents/tools/sample_agent_function_tool_async.py',
    shows: [endpointSet, agentShown, ...horoscope],
  },
  { path: 'agents/tools/sample_agent_code_interpreter.py', shows: [endpointSet, ...codeRun] },
  { path: 'agents/tools/sample_agent_code_interpreter_async.py', shows: [endpointSet, ...codeRun] },
  ...['file_search', 'file_search_structured_inputs'].map((name) => ({
    path: `agents/tools/sample_agent_${name}.py`,
    shows: fileFound,
  })),
  ...['file_search_in_stream', 'file_search_in_stream_async'].map((name) => ({
    path: `agents/tools/sample_agent_${name}.py`,
    shows: fileCited,
  })),
  ...['', '_async'].map((variant) => ({ path: `files/sample_files${variant}.py`, shows: fileKept })),
  ...['with_files', 'with_files_async'].map((name) => ({
    path: `agents/tools/sample_agent_code_interpreter_${name}.py`,
    config: 'code-on-files.yaml',
    shows: [
      [/File uploaded \(id: file_\w+\)/, 'the table was uploaded'],
      [
        /Found generated file: chart\.csv \(ID: cfile_\w+\)/,
        'code read the table, and what it wrote is cited',
      ],
      [/File downloaded successfully: .*chart\.csv/, 'and can be fetched'],
    ] as Shown,
  })),
  {
    path: 'agents/tools/sample_agent_code_interpreter_structured_inputs.py',
    config: 'code-on-files.yaml',
    shows: [
      [/File uploaded \(id: file_\w+\)/, 'the numbers were uploaded'],
      [/Agent response: The sum of x is 6\./, 'code read the file that the structured input names'],
    ],
  },
  ...['web_search', 'web_search_preview'].map((name) => ({
    path: `agents/tools/sample_agent_${name}.py`,
    config: 'web-search.yaml',
    shows: tubeStatus,
  })),
  {
    path: 'agents/tools/sample_agent_ai_search.py',
    standIn: searchedServices,
    variables: {
      AI_SEARCH_PROJECT_CONNECTION_ID: 'searched',
      AI_SEARCH_INDEX_NAME: 'handbook',
      AI_SEARCH_USER_INPUT: 'Tell me about mental health services',
    },
    shows: [
      endpointSet,
      [
        /URL Citation: https:\/\/intranet\.example\/health, Start index: \d+, End index: \d+/,
        'the document is cited',
      ],
      [/Agent response: .*twenty visits a year/, 'the answer has what the document says'],
    ],
  },
  {
    path: 'agents/tools/sample_agent_bing_grounding.py',
    standIn: searchedServices,
    variables: { BING_PROJECT_CONNECTION_ID: 'searched' },
    shows: [
      endpointSet,
      [/URL Citation: https:\/\/weather\.example\/seattle/, 'the page is cited'],
      [/Full response: .*Seattle has light rain/, 'the answer has what the page says'],
    ],
  },
  { path: 'agents/tools/sample_agent_bing_custom_search.py', ...customSearch },
  { path: 'agents/tools/sample_agent_web_search_with_custom_search.py', ...customSearch },
  {
    path: 'agents/tools/sample_agent_web_iq.py',
    standIn: webIq,
    variables: {
      WEB_IQ_PROJECT_CONNECTION_ID: 'web-iq',
      WEB_IQ_USER_INPUT: 'Search the web for the weather in Oslo.',
    },
    shows: [
      endpointSet,
      [/Agent response: .*The web was asked: .*Oslo/, 'the tool was called, and its answer used'],
    ],
  },
  {
    path: 'agents/tools/sample_agent_to_agent.py',
    config: 'agent-to-agent.yaml',
    variables: { A2A_PROJECT_CONNECTION_ID: 'other-agent', A2A_USER_INPUT: 'What can you do?' },
    standIn: echoingAgent,
    shows: [
      endpointSet,
      [/Request ID: item_\w+\nArguments: \{.*What can you do\?/, 'the call is an item with its arguments'],
      [/Response ID: item_\w+/, 'and the answer another'],
      [/Full response: .*The agent heard: What can you do\?/, 'the agent was asked, and its answer used'],
    ],
  },
  ...['', '_async'].map((suffix) => ({
    path: `agents/tools/sample_agent_image_generation${suffix}.py`,
    config: 'image-generation.yaml',
    standIn: imageMaker,
    shows: imageSaved,
  })),
  {
    path: 'agents/tools/sample_agent_sharepoint.py',
    variables: {
      SHAREPOINT_PROJECT_CONNECTION_ID: 'my-sharepoint',
      SHAREPOINT_USER_INPUT: 'Search SharePoint: how many days of leave do I have?',
    },
    standIn: sharepointSite,
    shows: [
      endpointSet,
      [
        /URL Citation: https:\/\/contoso\.sharepoint\.com\/\S+Leave\.docx, Start index: \d+/,
        'the document is cited',
      ],
      [/Agent response: .*thirty days of leave a year/, 'the answer has what the document says'],
    ],
    hides: [[/sample-token/, 'the token is told nowhere']],
  },
  {
    path: 'agents/tools/sample_agent_fabric.py',
    variables: {
      FABRIC_PROJECT_CONNECTION_ID: 'my-fabric',
      FABRIC_USER_INPUT: 'How many bicycles were sold?',
    },
    standIn: salesDataAgent,
    shows: [
      endpointSet,
      [/Full response: .*8,421 bicycles were sold/, 'the data agent was asked, and its answer used'],
    ],
    hides: [[/sample-token/, 'the token is told nowhere']],
  },
  ...['work_iq', 'work_iq_async'].map((name) => ({
    path: `agents/tools/sample_agent_${name}.py`,
    variables: {
      WORK_IQ_PROJECT_CONNECTION_ID: 'my-work-iq',
      WORK_IQ_USER_INPUT: 'Ask Work IQ: do I have unread mail?',
    },
    standIn: workIq,
    shows: [
      endpointSet,
      [/Agent response: .*three unread mails from Ann/, 'the agent was asked, and its answer used'],
    ] as Shown,
  })),
  ...['fabric_iq', 'fabric_iq_async'].map((name) => ({
    path: `agents/tools/sample_agent_${name}.py`,
    variables: {
      FABRIC_IQ_PROJECT_CONNECTION_ID: 'my-fabric-iq',
      FABRIC_IQ_USER_INPUT: 'Search the ontology: how many lines does the plant have?',
    },
    standIn: fabricIq,
    shows: [
      endpointSet,
      [/Agent response: .*The plant has 17 lines/, 'the tool of the server was called, and its answer used'],
    ] as Shown,
  })),
  {
    path: 'agents/tools/sample_agent_browser_automation.py',
    variables: { BROWSER_AUTOMATION_PROJECT_CONNECTION_ID: 'my-browser' },
    standIn: browserWorkspace,
    shows: [
      endpointSet,
      [
        /Browser action: browser_navigate \(call ID: call_\w+\), arguments: \{'url': 'https:\/\/example\.com'\}/,
        'what is done in the browser is an item each',
      ],
      [
        /Agent message: .*Example Domain[\s\S]*for use in documentation examples/,
        'the answer has what the page says',
      ],
      [/Response completed!/, 'the response has ended'],
    ],
  },
  ...['computer_use', 'computer_use_async'].map((name) => ({
    path: `agents/tools/sample_agent_${name}.py`,
    config: 'computer-use.yaml',
    shows: computerUsed,
  })),
  {
    path: 'agents/telemetry/sample_agent_basic_with_console_tracing.py',
    variables: traced,
    shows: [
      [/"name": "create_agent MyAgent"/, 'the SDK’s own instrumentation understood the agent'],
      [/"gen_ai\.agent\.id": "MyAgent:1"/, 'and its version'],
      [/"gen_ai\.response\.id": "resp_\w+"/, 'and the response'],
      [/"gen_ai\.usage\.output_tokens": [1-9]/, 'and its usage'],
      [/Answer: \[ResponseOutputMessage\(/, 'the output is typed'],
      [/Listing conversation items/, 'the items are listed, newest first'],
      [/Type: message\nContent: .*about computers/, 'the answer to the second question'],
      [/Type: message\nContent: Tell another one about computers\./, 'the second question'],
      [/Type: message\nContent: .*OCT 31/, 'the answer to the first question'],
      [/Type: message\nContent: Hello, tell me a joke\./, 'the first question'],
    ],
    hides: [[/Unsupported content type|No content available/, 'each item has text of a known type']],
  },
  {
    path: 'agents/telemetry/sample_agent_basic_with_console_tracing_custom_attributes.py',
    variables: traced,
    shows: [
      [/"gen_ai\.agent\.version": "1"/, 'the version was made'],
      [/Agent deleted/, 'deletion without `force` works too'],
    ],
  },
  { path: 'chat_completions/sample_chat_completions_basic.py', shows: funFacts },
  { path: 'chat_completions/sample_chat_completions_basic_async.py', shows: funFacts },
  { path: 'deployments/sample_deployments.py', shows: deployments },
  { path: 'deployments/sample_deployments_async.py', shows: deployments },
  { path: 'connections/sample_connections.py', shows: connections, ...connected },
  { path: 'connections/sample_connections_async.py', shows: connections, ...connected },
  ...withSync('datasets/sample_datasets.py', datasets),
  { path: 'datasets/sample_datasets_download.py', shows: downloaded, config: 'assets.yaml' },
  ...withSync('indexes/sample_indexes.py', indexes),
  { path: 'models/sample_models_basic.py', shows: modelLife, standIn: azcopy },
  { path: 'models/sample_models_basic_async.py', shows: modelLife },
  { path: 'models/sample_models_create_and_poll.py', shows: registeredModel },
  { path: 'telemetry/sample_telemetry.py', shows: connectionString, ...connected },
  { path: 'telemetry/sample_telemetry_async.py', shows: connectionString, ...connected },
  { path: 'logs/sample_log_all.py', shows: loggedTurn, logs: [...nativeLog, ...openaiLog] },
  { path: 'logs/sample_log_from_openai_client.py', shows: loggedTurn, logs: openaiLog },
  { path: 'logs/sample_log_from_sdk.py', shows: loggedTurn, logs: nativeLog },
  {
    path: 'logs/sample_log_to_console.py',
    shows: [...nativeLog, ...openaiLog, ...feetInMile, conversationDeleted],
    hides: aToken,
  },
  {
    path: 'logs/sample_log_with_logging_disabled.py',
    shows: loggedTurn,
    logs: [
      [/Request method: 'POST'/, 'the native calls are logged'],
      [/Body: \[Content exists\]/, 'bodies are not'],
    ],
    hides: aToken,
  },
];
