// What a plugin gets from wsmgr, for editors and TypeScript. It is not loaded at run time.

/** Any value that JSON has. */
export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** Who runs what, beside the input. What the caller adds under `context` is there too. */
export interface Context {
  /** `user:<id>` or `org:<id>`. */
  readonly owner: string;
  /** Who called, also where an organisation owns. */
  readonly userId: string;
  /** The organisation; null where a user owns. */
  readonly organizationId: string | null;
  /** The owner, with `~name` in a further workspace. */
  readonly workspace: string;
  /** The name under which the plugin was called. */
  readonly plugin: string;
  /** The version that runs: the sha256 of its language and content. */
  readonly version: string;
  /** The id of this execution, as in its record. */
  readonly executionId: string;
  /** When its time ends, in milliseconds since the epoch. */
  readonly deadline: number;
  /** The plugin's configuration, frozen; empty when it has none. */
  readonly config: { readonly [name: string]: any };
  /** The plugin's secrets, frozen. Printed or returned as a whole they show their names alone. */
  readonly secrets: { readonly [name: string]: string | undefined };
  /** Gives out a value before the end, for callers that listen. */
  emit(value: unknown): void;
  readonly [name: string]: unknown;
}

/** What a generator gives out is emitted; what it returns is the output. */
export type Steps<Output> = Generator<unknown, Output> | AsyncGenerator<unknown, Output>;

/**
 * A plugin: the default export, `module.exports`, or an export called `execute`. What it returns, awaited, is written as
 * JSON. What it throws is the execution's error. console.* goes into the execution's log.
 */
export type Plugin<Input = Json, Output = unknown> = (
  input: Input,
  context: Context,
) => Output | Promise<Output> | Steps<Output>;
