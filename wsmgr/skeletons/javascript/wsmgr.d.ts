// What a plugin gets from wsmgr, for editors and TypeScript. It is not loaded at run time.

/** Any value that JSON has. */
export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** Who runs what, beside the input. What the caller adds under `context` is there too. */
export interface Context {
  /** The id of this execution, as in its record. */
  readonly executionId: string;
  /** `user:<id>` or `org:<id>`. */
  readonly owner?: string;
  /** The workspace in which it runs. */
  readonly workspace?: string;
  /** The plugin's own name. */
  readonly plugin?: string;
  /** The version that runs: the sha256 of its content. */
  readonly version?: string;
  readonly [name: string]: unknown;
}

/**
 * A plugin: the default export, `module.exports`, or an export called `execute`. What it returns, awaited, is written as
 * JSON. What it throws is the execution's error. console.* goes into the execution's log.
 */
export type Plugin<Input = Json, Output = unknown> = (input: Input, context: Context) => Output | Promise<Output>;
