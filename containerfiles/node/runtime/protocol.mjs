// The messages between the main thread and a plugin's thread: arrays, first the kind. Both sides import this file.
//
// main → thread   [seq, body, outputBytes, logBytes, endsAt]
//                                                        run; `body` is the request as JSON text, `endsAt` epoch ms
// thread → main   [READY]                                the plugin is loaded
//                 [LOAD_FAILED, 0, {message, stack, line?, column?}]
//                 [DONE, seq, outputJson, durationMs, leftovers]
//                 [FAILED, seq, {type, name, message, stack}, durationMs, leftovers]
//                 [UNCAUGHT, seq, error, durationMs]     an async error; seq 0: while nothing ran
//                 [REFUSED, seq]                         not started: this thread is no longer fit for use
//                 [EMIT, seq, json, usedBytes]           emitted when the log had so many bytes; only where it streams
//
// Logs do not travel in messages: they sit in shared memory, so that they outlive a thread that is killed.
// Layout: Int32 used bytes, Int32 truncated flag, Int32 bytes of emits that were passed on (the main thread writes it, and
// the thread waits for it), then JSON objects separated by commas.

export const READY = 1;
export const LOAD_FAILED = 2;
export const DONE = 3;
export const FAILED = 4;
export const UNCAUGHT = 5;
export const REFUSED = 6;
export const EMIT = 7;

export const LOG_HEADER_BYTES = 12;
export const USED = 0;
export const TRUNCATED = 1;
export const ACKED = 2;

/** What an emit counts besides its JSON: a flood of tiny ones ends as well. */
export const EMIT_BYTES = 16;
