import type { TelemetryEntry } from './config-schema.ts';

/** Where traces of responses are sent, and with what. */
export interface TelemetryConfig {
  /** The whole address: `https://HOST:4318/v1/traces`. */
  url: string;
  protocol: TelemetryProtocol;
  /** Never printed. */
  headers: Record<string, string>;
  /** Attributes of this server, `service.name` among them. */
  resource: Record<string, string>;
  /** Whether prompts, answers, arguments and outputs of tools are sent, too. */
  content: boolean;
  /** Most bytes of traces that may wait, about. More are dropped. */
  queueBytes: number;
  /** How long a stopping server goes on sending, in seconds. */
  flushSeconds: number;
}

/** `grpc` is only ever the environment's wish. */
export type TelemetryProtocol = 'http/protobuf' | 'http/json' | 'grpc';

export interface TelemetrySource {
  environment: NodeJS.ProcessEnv;
  /** What the file's `headers` point to; null where it has none. */
  headers: string | null;
  fault(about: 'endpoint' | 'headers' | null, message: string): void;
}

export const telemetryProtocols = ['http/protobuf', 'http/json'] as const;

export const httpUrl = /^https?:\/\/[^\s/?#@]+[^\s?#]*$/;
export const httpUrlRule = 'an http or https URL without user, query or fragment';
const headerName = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;
const headerValue = /^[\x20-\x7e]*$/;

/**
 * The file's word comes first, then OpenTelemetry's own variables. What belongs to an endpoint (headers, protocol) is
 * taken from where the endpoint is, so that a key never goes to another's address. Null: nothing is sent anywhere.
 */
export function telemetryConfig(
  given: TelemetryEntry,
  defaults: Pick<TelemetryConfig, 'content' | 'queueBytes' | 'flushSeconds'>,
  source: TelemetrySource,
): TelemetryConfig | null {
  const { environment } = source;
  if (given.endpoint === undefined && given.headers !== undefined) {
    source.fault('headers', "needs an 'endpoint' beside it; headers go nowhere else");
  }
  if (isOff(environment)) return null;
  const destination = given.endpoint === undefined ? fromEnvironment(source) : fromFile(given, source);
  if (destination === null) return null;
  return {
    ...destination,
    resource: {
      'service.name': 'bloomery',
      ...pairs(environment.OTEL_RESOURCE_ATTRIBUTES ?? '', (why) =>
        source.fault(null, `OTEL_RESOURCE_ATTRIBUTES: ${why}`),
      ),
      ...(environment.OTEL_SERVICE_NAME ? { 'service.name': environment.OTEL_SERVICE_NAME } : {}),
    },
    content: given.content ?? defaults.content,
    queueBytes: given.queueBytes ?? defaults.queueBytes,
    flushSeconds: given.flushSeconds ?? defaults.flushSeconds,
  };
}

const isOff = ({ OTEL_SDK_DISABLED: disabled, OTEL_TRACES_EXPORTER: exporter }: NodeJS.ProcessEnv): boolean =>
  disabled?.trim().toLowerCase() === 'true' || exporter?.trim() === 'none';

type Destination = Pick<TelemetryConfig, 'url' | 'protocol' | 'headers'>;

function fromFile(given: TelemetryEntry, source: TelemetrySource): Destination {
  return {
    url: tracesUrl(given.endpoint ?? ''),
    protocol: given.protocol ?? 'http/protobuf',
    headers: headersOf(source.headers ?? '', (why) => source.fault('headers', why)),
  };
}

function fromEnvironment({ environment, fault }: TelemetrySource): Destination | null {
  const read = (name: string) =>
    [`OTEL_EXPORTER_OTLP_TRACES_${name}`, `OTEL_EXPORTER_OTLP_${name}`]
      .map((variable) => ({ variable, value: environment[variable]?.trim() ?? '' }))
      .find(({ value }) => value !== '');
  const endpoint = read('ENDPOINT');
  if (endpoint === undefined) return null;
  const protocol = read('PROTOCOL') ?? { variable: '', value: 'http/protobuf' };
  const headers = read('HEADERS');
  if (!isProtocol(protocol.value)) {
    fault(null, `${protocol.variable}: must be ${telemetryProtocols.join(' or ')}`);
    return null;
  }
  if (protocol.value !== 'grpc' && !httpUrl.test(endpoint.value)) {
    fault(null, `${endpoint.variable}: must be ${httpUrlRule}`);
  }
  return {
    // The variable for traces names the whole address, the general one its beginning.
    url: endpoint.variable.includes('TRACES') ? endpoint.value : tracesUrl(endpoint.value),
    protocol: protocol.value,
    headers: headersOf(headers?.value ?? '', (why) => fault(null, `${headers?.variable}: ${why}`)),
  };
}

const isProtocol = (value: string): value is TelemetryProtocol =>
  value === 'grpc' || telemetryProtocols.some((known) => known === value);

const tracesUrl = (endpoint: string): string =>
  /\/v1\/traces\/?$/.test(endpoint) ? endpoint : `${endpoint.replace(/\/+$/, '')}/v1/traces`;

function headersOf(text: string, fault: (why: string) => void): Record<string, string> {
  const headers = pairs(text, fault);
  const isWrong = ([name, value]: [string, string]) => !headerName.test(name) || !headerValue.test(value);
  if (Object.entries(headers).some(isWrong)) fault('must hold headers of printable characters');
  return headers;
}

/** `name=value,name=value`, values percent-encoded where need be. */
function pairs(text: string, fault: (why: string) => void): Record<string, string> {
  const found = text.split(',').filter((pair) => pair.trim() !== '');
  try {
    return Object.fromEntries(
      found.map((pair) => {
        const at = pair.indexOf('=');
        if (at < 1) throw new URIError();
        return [pair.slice(0, at).trim(), decodeURIComponent(pair.slice(at + 1).trim())];
      }),
    );
  } catch {
    fault('must hold `name=value` pairs, with commas between them, values percent-encoded');
    return {};
  }
}
