/** This server's own identity, for tools that act in its name. */
export interface ToolIdentity {
  /**
   * A token for `audience` to be sent to `url`; null unless both are this server's own: to others a token of this
   * server means nothing, but whoever gets it could come here with it.
   */
  token(
    audience: string,
    url: string,
    within: { project: string; roles: readonly string[] },
  ): Promise<string | null>;
}
