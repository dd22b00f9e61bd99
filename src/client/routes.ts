/** Written by `node scripts/client-routes.ts` from the contracts: their types, and of their values only these. */
import type { operations as agents } from '../families/agents/contract.ts';
import type { operations as apiKeys } from '../families/api-keys/contract.ts';
import type { operations as datasets } from '../families/assets/datasets/contract.ts';
import type { operations as indexes } from '../families/assets/indexes/contract.ts';
import type { operations as registeredModels } from '../families/assets/models/contract.ts';
import type { operations as audio } from '../families/audio/contract.ts';
import type { operations as chatCompletions } from '../families/chat-completions/contract.ts';
import type { operations as completions } from '../families/completions/contract.ts';
import type { operations as connections } from '../families/connections/contract.ts';
import type { operations as containers } from '../families/containers/contract.ts';
import type { operations as conversations } from '../families/conversations/contract.ts';
import type { operations as deployments } from '../families/deployments/contract.ts';
import type { operations as embeddings } from '../families/embeddings/contract.ts';
import type { operations as faultPlans } from '../families/fault-plans/contract.ts';
import type { operations as files } from '../families/files/contract.ts';
import type { operations as images } from '../families/images/contract.ts';
import type { operations as models } from '../families/models/contract.ts';
import type { operations as moderations } from '../families/moderations/contract.ts';
import type { operations as projects } from '../families/projects/contract.ts';
import type { operations as responses } from '../families/responses/contract.ts';
import type { operations as scenarios } from '../families/scenarios/contract.ts';
import type { operations as uploads } from '../families/uploads/contract.ts';
import type { operations as vectorStores } from '../families/vector-stores/contract.ts';
import type { Route } from './route.ts';

export interface Contracts {
  agents: typeof agents;
  apiKeys: typeof apiKeys;
  audio: typeof audio;
  chatCompletions: typeof chatCompletions;
  completions: typeof completions;
  connections: typeof connections;
  containers: typeof containers;
  conversations: typeof conversations;
  datasets: typeof datasets;
  deployments: typeof deployments;
  embeddings: typeof embeddings;
  faultPlans: typeof faultPlans;
  files: typeof files;
  images: typeof images;
  indexes: typeof indexes;
  models: typeof models;
  moderations: typeof moderations;
  projects: typeof projects;
  registeredModels: typeof registeredModels;
  responses: typeof responses;
  scenarios: typeof scenarios;
  uploads: typeof uploads;
  vectorStores: typeof vectorStores;
}

export const routes = {
  agents: {
    list: { method: 'GET', path: '/agents', wire: 'foundry', isPage: true },
    create: { method: 'POST', path: '/agents', wire: 'foundry', hasBody: true },
    get: { method: 'GET', path: '/agents/{agent_name}', wire: 'foundry' },
    update: { method: 'POST', path: '/agents/{agent_name}', wire: 'foundry', hasBody: true },
    patchAgentObject: { method: 'PATCH', path: '/agents/{agent_name}', wire: 'foundry', hasBody: true },
    delete: { method: 'DELETE', path: '/agents/{agent_name}', wire: 'foundry' },
    enable: { method: 'POST', path: '/agents/{agent_name}:enable', wire: 'foundry' },
    disable: { method: 'POST', path: '/agents/{agent_name}:disable', wire: 'foundry' },
    createVersion: { method: 'POST', path: '/agents/{agent_name}/versions', wire: 'foundry', hasBody: true },
    listVersions: { method: 'GET', path: '/agents/{agent_name}/versions', wire: 'foundry', isPage: true },
    getVersion: { method: 'GET', path: '/agents/{agent_name}/versions/{agent_version}', wire: 'foundry' },
    deleteVersion: {
      method: 'DELETE',
      path: '/agents/{agent_name}/versions/{agent_version}',
      wire: 'foundry',
    },
  },
  apiKeys: {
    list: { method: 'GET', path: '/api_keys', wire: 'admin', isPage: true },
    create: { method: 'POST', path: '/api_keys', wire: 'admin', hasBody: true },
    rotate: {
      method: 'POST',
      path: '/api_keys/{name}:rotate',
      wire: 'admin',
      hasBody: true,
      bodyOptional: true,
    },
    revoke: { method: 'DELETE', path: '/api_keys/{name}', wire: 'admin' },
  },
  audio: {
    createSpeech: {
      method: 'POST',
      path: '/audio/speech',
      wire: 'openai',
      hasBody: true,
      streamsBy: { stream_format: 'sse' },
      answersBytes: true,
    },
    createTranscription: {
      method: 'POST',
      path: '/audio/transcriptions',
      wire: 'openai',
      consumes: 'multipart/form-data',
      hasBody: true,
      streamsBy: { stream: true },
    },
    createTranslation: {
      method: 'POST',
      path: '/audio/translations',
      wire: 'openai',
      consumes: 'multipart/form-data',
      hasBody: true,
    },
  },
  chatCompletions: {
    create: {
      method: 'POST',
      path: '/chat/completions',
      wire: 'openai',
      hasBody: true,
      streamsBy: { stream: true },
    },
    list: { method: 'GET', path: '/chat/completions', wire: 'openai', isPage: true },
    retrieve: { method: 'GET', path: '/chat/completions/{completion_id}', wire: 'openai' },
    update: { method: 'POST', path: '/chat/completions/{completion_id}', wire: 'openai', hasBody: true },
    delete: { method: 'DELETE', path: '/chat/completions/{completion_id}', wire: 'openai' },
    listMessages: {
      method: 'GET',
      path: '/chat/completions/{completion_id}/messages',
      wire: 'openai',
      isPage: true,
    },
  },
  completions: {
    create: {
      method: 'POST',
      path: '/completions',
      wire: 'openai',
      hasBody: true,
      streamsBy: { stream: true },
    },
  },
  connections: {
    list: { method: 'GET', path: '/connections', wire: 'foundry', isPage: true },
    get: { method: 'GET', path: '/connections/{name}', wire: 'foundry' },
    getWithCredentials: {
      method: 'POST',
      path: '/connections/{name}/getConnectionWithCredentials',
      wire: 'foundry',
    },
    set: { method: 'PUT', path: '/connections/{name}', wire: 'foundry', hasBody: true },
    delete: { method: 'DELETE', path: '/connections/{name}', wire: 'foundry' },
  },
  containers: {
    create: { method: 'POST', path: '/containers', wire: 'openai', hasBody: true },
    list: { method: 'GET', path: '/containers', wire: 'openai', isPage: true },
    retrieve: { method: 'GET', path: '/containers/{container_id}', wire: 'openai' },
    delete: { method: 'DELETE', path: '/containers/{container_id}', wire: 'openai' },
    createFile: { method: 'POST', path: '/containers/{container_id}/files', wire: 'openai', hasBody: true },
    uploadFile: {
      method: 'POST',
      path: '/containers/{container_id}/files',
      wire: 'openai',
      consumes: 'multipart/form-data',
      hasBody: true,
    },
    listFiles: { method: 'GET', path: '/containers/{container_id}/files', wire: 'openai', isPage: true },
    retrieveFile: { method: 'GET', path: '/containers/{container_id}/files/{file_id}', wire: 'openai' },
    deleteFile: { method: 'DELETE', path: '/containers/{container_id}/files/{file_id}', wire: 'openai' },
    fileContent: {
      method: 'GET',
      path: '/containers/{container_id}/files/{file_id}/content',
      wire: 'openai',
      answersBytes: true,
    },
  },
  conversations: {
    create: { method: 'POST', path: '/conversations', wire: 'openai', hasBody: true, bodyOptional: true },
    list: { method: 'GET', path: '/conversations', wire: 'openai', isPage: true },
    retrieve: { method: 'GET', path: '/conversations/{conversation_id}', wire: 'openai' },
    update: { method: 'POST', path: '/conversations/{conversation_id}', wire: 'openai', hasBody: true },
    delete: { method: 'DELETE', path: '/conversations/{conversation_id}', wire: 'openai' },
    createItems: {
      method: 'POST',
      path: '/conversations/{conversation_id}/items',
      wire: 'openai',
      hasBody: true,
    },
    listItems: {
      method: 'GET',
      path: '/conversations/{conversation_id}/items',
      wire: 'openai',
      isPage: true,
    },
    retrieveItem: { method: 'GET', path: '/conversations/{conversation_id}/items/{item_id}', wire: 'openai' },
    deleteItem: {
      method: 'DELETE',
      path: '/conversations/{conversation_id}/items/{item_id}',
      wire: 'openai',
    },
  },
  datasets: {
    list: { method: 'GET', path: '/datasets', wire: 'foundry', isPage: true },
    listVersions: { method: 'GET', path: '/datasets/{name}/versions', wire: 'foundry', isPage: true },
    get: { method: 'GET', path: '/datasets/{name}/versions/{version}', wire: 'foundry' },
    createOrUpdate: {
      method: 'PATCH',
      path: '/datasets/{name}/versions/{version}',
      wire: 'foundry',
      hasBody: true,
    },
    delete: { method: 'DELETE', path: '/datasets/{name}/versions/{version}', wire: 'foundry' },
    pendingUpload: {
      method: 'POST',
      path: '/datasets/{name}/versions/{version}/startPendingUpload',
      wire: 'foundry',
      hasBody: true,
    },
    getCredentials: {
      method: 'POST',
      path: '/datasets/{name}/versions/{version}/credentials',
      wire: 'foundry',
    },
  },
  deployments: {
    list: { method: 'GET', path: '/deployments', wire: 'foundry', isPage: true },
    get: { method: 'GET', path: '/deployments/{name}', wire: 'foundry' },
  },
  embeddings: { create: { method: 'POST', path: '/embeddings', wire: 'openai', hasBody: true } },
  faultPlans: {
    list: { method: 'GET', path: '/fault_plans', wire: 'admin', isPage: true },
    get: { method: 'GET', path: '/fault_plans/{name}', wire: 'admin' },
    put: { method: 'PUT', path: '/fault_plans/{name}', wire: 'admin', hasBody: true },
    delete: { method: 'DELETE', path: '/fault_plans/{name}', wire: 'admin' },
    fired: { method: 'GET', path: '/faults', wire: 'admin', isPage: true },
  },
  files: {
    create: {
      method: 'POST',
      path: '/files',
      wire: 'openai',
      consumes: 'multipart/form-data',
      hasBody: true,
    },
    list: { method: 'GET', path: '/files', wire: 'openai', isPage: true },
    retrieve: { method: 'GET', path: '/files/{file_id}', wire: 'openai' },
    delete: { method: 'DELETE', path: '/files/{file_id}', wire: 'openai' },
    content: { method: 'GET', path: '/files/{file_id}/content', wire: 'openai', answersBytes: true },
  },
  images: {
    generate: {
      method: 'POST',
      path: '/images/generations',
      wire: 'openai',
      hasBody: true,
      streamsBy: { stream: true },
    },
    edit: {
      method: 'POST',
      path: '/images/edits',
      wire: 'openai',
      consumes: 'multipart/form-data',
      hasBody: true,
      streamsBy: { stream: true },
    },
    createVariation: {
      method: 'POST',
      path: '/images/variations',
      wire: 'openai',
      consumes: 'multipart/form-data',
      hasBody: true,
    },
  },
  indexes: {
    list: { method: 'GET', path: '/indexes', wire: 'foundry', isPage: true },
    listVersions: { method: 'GET', path: '/indexes/{name}/versions', wire: 'foundry', isPage: true },
    get: { method: 'GET', path: '/indexes/{name}/versions/{version}', wire: 'foundry' },
    createOrUpdate: {
      method: 'PATCH',
      path: '/indexes/{name}/versions/{version}',
      wire: 'foundry',
      hasBody: true,
    },
    delete: { method: 'DELETE', path: '/indexes/{name}/versions/{version}', wire: 'foundry' },
  },
  models: {
    list: { method: 'GET', path: '/models', wire: 'openai', isPage: true },
    retrieve: { method: 'GET', path: '/models/{model}', wire: 'openai' },
  },
  moderations: { create: { method: 'POST', path: '/moderations', wire: 'openai', hasBody: true } },
  projects: {
    list: { method: 'GET', path: '/projects', wire: 'admin', isPage: true },
    create: { method: 'POST', path: '/projects', wire: 'admin', hasBody: true },
    get: { method: 'GET', path: '/projects/{name}', wire: 'admin' },
    delete: { method: 'DELETE', path: '/projects/{name}', wire: 'admin' },
    fork: { method: 'POST', path: '/projects/{name}:fork', wire: 'admin', hasBody: true },
    reset: {
      method: 'POST',
      path: '/projects/{name}:reset',
      wire: 'admin',
      hasBody: true,
      bodyOptional: true,
    },
    export: { method: 'GET', path: '/projects/{name}:export', wire: 'admin', answersBytes: true },
    exportWithSecrets: {
      method: 'POST',
      path: '/projects/{name}:exportWithSecrets',
      wire: 'admin',
      hasBody: true,
      answersBytes: true,
    },
    import: {
      method: 'POST',
      path: '/projects/{name}:import',
      wire: 'admin',
      consumes: 'multipart/form-data',
      hasBody: true,
    },
  },
  registeredModels: {
    list: { method: 'GET', path: '/models', wire: 'foundry', preview: 'Models=V1Preview', isPage: true },
    listVersions: {
      method: 'GET',
      path: '/models/{name}/versions',
      wire: 'foundry',
      preview: 'Models=V1Preview',
      isPage: true,
    },
    get: {
      method: 'GET',
      path: '/models/{name}/versions/{version}',
      wire: 'foundry',
      preview: 'Models=V1Preview',
    },
    update: {
      method: 'PATCH',
      path: '/models/{name}/versions/{version}',
      wire: 'foundry',
      preview: 'Models=V1Preview',
      hasBody: true,
    },
    delete: {
      method: 'DELETE',
      path: '/models/{name}/versions/{version}',
      wire: 'foundry',
      preview: 'Models=V1Preview',
    },
    pendingUpload: {
      method: 'POST',
      path: '/models/{name}/versions/{version}/startPendingUpload',
      wire: 'foundry',
      preview: 'Models=V1Preview',
      hasBody: true,
    },
    pendingCreateVersion: {
      method: 'POST',
      path: '/models/{name}/versions/{version}/createAsync',
      wire: 'foundry',
      preview: 'Models=V1Preview',
      hasBody: true,
    },
    getCredentials: {
      method: 'POST',
      path: '/models/{name}/versions/{version}/credentials',
      wire: 'foundry',
      preview: 'Models=V1Preview',
      hasBody: true,
    },
  },
  responses: {
    create: {
      method: 'POST',
      path: '/responses',
      wire: 'openai',
      hasBody: true,
      streamsBy: { stream: true },
    },
    list: { method: 'GET', path: '/responses', wire: 'openai', isPage: true },
    retrieve: {
      method: 'GET',
      path: '/responses/{response_id}',
      wire: 'openai',
      streamsBy: { stream: true },
    },
    delete: { method: 'DELETE', path: '/responses/{response_id}', wire: 'openai' },
    cancel: { method: 'POST', path: '/responses/{response_id}/cancel', wire: 'openai' },
    inputItems: { method: 'GET', path: '/responses/{response_id}/input_items', wire: 'openai', isPage: true },
    compact: { method: 'POST', path: '/responses/compact', wire: 'openai', hasBody: true },
    trace: { method: 'GET', path: '/responses/{response_id}/trace', wire: 'foundry' },
    inputTokens: { method: 'POST', path: '/responses/input_tokens', wire: 'openai', hasBody: true },
  },
  scenarios: {
    list: { method: 'GET', path: '/scenarios', wire: 'admin', isPage: true },
    get: { method: 'GET', path: '/scenarios/{name}', wire: 'admin' },
    put: { method: 'PUT', path: '/scenarios/{name}', wire: 'admin', hasBody: true },
    delete: { method: 'DELETE', path: '/scenarios/{name}', wire: 'admin' },
  },
  uploads: {
    create: { method: 'POST', path: '/uploads', wire: 'openai', hasBody: true },
    addPart: {
      method: 'POST',
      path: '/uploads/{upload_id}/parts',
      wire: 'openai',
      consumes: 'multipart/form-data',
      hasBody: true,
    },
    complete: { method: 'POST', path: '/uploads/{upload_id}/complete', wire: 'openai', hasBody: true },
    cancel: { method: 'POST', path: '/uploads/{upload_id}/cancel', wire: 'openai' },
  },
  vectorStores: {
    create: { method: 'POST', path: '/vector_stores', wire: 'openai', hasBody: true, bodyOptional: true },
    list: { method: 'GET', path: '/vector_stores', wire: 'openai', isPage: true },
    retrieve: { method: 'GET', path: '/vector_stores/{vector_store_id}', wire: 'openai' },
    update: { method: 'POST', path: '/vector_stores/{vector_store_id}', wire: 'openai', hasBody: true },
    delete: { method: 'DELETE', path: '/vector_stores/{vector_store_id}', wire: 'openai' },
    search: {
      method: 'POST',
      path: '/vector_stores/{vector_store_id}/search',
      wire: 'openai',
      hasBody: true,
    },
    createFile: {
      method: 'POST',
      path: '/vector_stores/{vector_store_id}/files',
      wire: 'openai',
      hasBody: true,
    },
    listFiles: {
      method: 'GET',
      path: '/vector_stores/{vector_store_id}/files',
      wire: 'openai',
      isPage: true,
    },
    retrieveFile: { method: 'GET', path: '/vector_stores/{vector_store_id}/files/{file_id}', wire: 'openai' },
    updateFile: {
      method: 'POST',
      path: '/vector_stores/{vector_store_id}/files/{file_id}',
      wire: 'openai',
      hasBody: true,
    },
    deleteFile: {
      method: 'DELETE',
      path: '/vector_stores/{vector_store_id}/files/{file_id}',
      wire: 'openai',
    },
    fileContent: {
      method: 'GET',
      path: '/vector_stores/{vector_store_id}/files/{file_id}/content',
      wire: 'openai',
      isPage: true,
    },
    createBatch: {
      method: 'POST',
      path: '/vector_stores/{vector_store_id}/file_batches',
      wire: 'openai',
      hasBody: true,
    },
    retrieveBatch: {
      method: 'GET',
      path: '/vector_stores/{vector_store_id}/file_batches/{batch_id}',
      wire: 'openai',
    },
    cancelBatch: {
      method: 'POST',
      path: '/vector_stores/{vector_store_id}/file_batches/{batch_id}/cancel',
      wire: 'openai',
    },
    listBatchFiles: {
      method: 'GET',
      path: '/vector_stores/{vector_store_id}/file_batches/{batch_id}/files',
      wire: 'openai',
      isPage: true,
    },
  },
} as const satisfies Record<string, Record<string, Route>>;
