// One asked-for run of one plugin: what was asked, checked, and how to answer it exactly once.
import { HttpError } from './http-error.mjs';
import { Lines } from './lines.mjs';

const TIMEOUT_DEFAULT_MS = 30_000;
const TIMEOUT_MOST_MS = 24 * 3600_000;
const OUTPUT_MOST_BYTES = 256 * 1024 * 1024;
const ID_MOST = 256;
let anonymous = 0;

export class Execution {
  /** `body` is the request as text: the plugin's thread parses it again, which is cheaper than cloning its input. */
  constructor(asked, body, plugin, settings, reply) {
    this.id = asked.executionId == null ? `anonymous-${++anonymous}` : asked.executionId;
    if (typeof this.id !== 'string' || this.id.length === 0 || this.id.length > ID_MOST) {
      throw bad(`"executionId" must be a string of 1 to ${ID_MOST} characters.`);
    }
    const { context, limits } = asked;
    if (context != null && (typeof context !== 'object' || Array.isArray(context))) {
      throw bad('"context" must be an object.');
    }
    if (limits != null && (typeof limits !== 'object' || Array.isArray(limits))) {
      throw bad('"limits" must be an object.');
    }
    if (asked.stream != null && typeof asked.stream !== 'boolean') throw bad('"stream" must be true or false.');
    this.timeoutMs = number(asked.timeoutMs, 'timeoutMs', TIMEOUT_DEFAULT_MS, 1, TIMEOUT_MOST_MS);
    this.outputBytes = number(limits?.outputBytes, 'limits.outputBytes', settings.outputBytes, 1, OUTPUT_MOST_BYTES);
    this.logBytes = number(limits?.logBytes, 'limits.logBytes', settings.logBytes, 0, Number.MAX_SAFE_INTEGER);
    this.body = body;
    this.plugin = plugin;
    this.reply = reply;
    this.lines = asked.stream === true ? new Lines(reply) : null;
    this.thread = null; // the thread that runs it, once there is one
    this.settled = false;
    this.durationMs = 0;
    this.forget = null; // unhooks it from its connection
  }

  /** Answers the caller. `output`, `error` and `logs` are JSON text. */
  settle({ output, error, logs, logsTruncated, durationMs }) {
    this.settled = true;
    this.durationMs = durationMs;
    this.forget?.();
    const result =
      `{"success":${error === 'null'},"output":${output},"error":${error},"logs":${logs},` +
      `"logsTruncated":${logsTruncated},"durationMs":${durationMs}}`;
    if (this.lines === null) this.reply.json(200, result);
    else this.lines.finish(result);
  }
}

function number(value, name, fallback, least, most) {
  if (value == null) return fallback;
  if (typeof value !== 'number' || !(value >= least && value <= most)) {
    throw bad(`"${name}" must be a number from ${least} to ${most}.`);
  }
  return value;
}

function bad(message) {
  return new HttpError(400, 'bad_request', message);
}
