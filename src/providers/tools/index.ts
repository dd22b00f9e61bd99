/** The tools that this server brings along. */

import { type A2aParts, a2aTools } from './a2a/a2a-tool.ts';
import { azureAiSearchTool } from './azure-ai-search/azure-ai-search-tool.ts';
import { bingTools } from './bing/bing-tools.ts';
import { browserTools } from './browser-automation/browser-tool.ts';
import { fabricTool } from './fabric/fabric-tool.ts';
import { type ImageGenerationParts, imageGenerationTool } from './image-generation/image-generation-tool.ts';
import { fabricIqTool } from './iq/fabric-iq-tool.ts';
import { webIqTool } from './iq/web-iq-tool.ts';
import { workIqTool } from './iq/work-iq-tool.ts';
import { type McpParts, mcpTool } from './mcp/mcp-tool.ts';
import { sessionPool } from './mcp/session-pool.ts';
import { type OpenApiParts, openApiTool } from './openapi/openapi-tool.ts';
import { sharepointTool } from './sharepoint/sharepoint-tool.ts';
import { captureStructuredOutputsTool } from './structured-outputs/capture-structured-outputs.ts';
import type { ServerTool } from './tool.ts';
import { type WebSearchParts, webSearchTools } from './web-search/web-search-tool.ts';

export type ToolParts = McpParts & OpenApiParts & WebSearchParts & A2aParts & ImageGenerationParts;

export function serverTools(parts: ToolParts): ServerTool[] {
  const pool = sessionPool(parts.outbound);
  return [
    mcpTool(parts, pool),
    openApiTool(parts),
    ...webSearchTools(parts),
    ...a2aTools(parts),
    azureAiSearchTool(parts),
    ...bingTools(parts),
    webIqTool(parts, pool),
    imageGenerationTool(parts),
    captureStructuredOutputsTool,
    fabricIqTool(parts, pool),
    workIqTool(parts),
    sharepointTool(parts),
    fabricTool(parts),
    ...browserTools(parts),
  ];
}
