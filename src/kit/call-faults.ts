/** What fault plans have in store for what a request leads to. To be asked once for each call. */
export interface CallFaults {
  /** Null lets the call be. */
  modelCall(deployment: string): ModelFault | null;
  toolCall(type: string): ToolFault | null;
}

/** A model call fails as if the model's server had answered so. */
export interface ModelFault {
  status: number;
  retryAfterSeconds: number | null;
  /** How many events of the call come before. */
  afterEvents: number;
}

/** The time of a tool call is up after so long. */
export interface ToolFault {
  milliseconds: number;
}
