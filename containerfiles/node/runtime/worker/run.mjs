// Runs executions in the plugin's thread, one at a time, and reports each outcome once.
import { DONE, FAILED, LOAD_FAILED, REFUSED, UNCAUGHT } from '../protocol.mjs';
import { describeThrown } from './describe.mjs';
import { isGenerator, read } from './generators.mjs';

// Taken before plugin code runs: what the plugin does to the globals is then its own affair only.
const { parse, stringify } = JSON;
const now = performance.now.bind(performance);
const byteLength = Buffer.byteLength;
const later = queueMicrotask;
const activeResources = process.getActiveResourcesInfo.bind(process);

export class Runner {
  #post;
  #logs;
  #emits;
  #file;
  #given;
  #plugin = null;
  #seq = 0; // of the execution under way; 0 when there is none
  #startedAt = 0;
  #outputBytes = 0;
  #resources = 0;
  #refused = null; // what the last emit that was refused threw
  #spoilt = false; // an error came up with no execution to blame: take no more

  /** `given`: members that every context has. */
  constructor(post, logs, emits, file, given) {
    this.#post = post;
    this.#logs = logs;
    this.#emits = emits;
    this.#file = file;
    this.#given = given;
  }

  ready(plugin) {
    this.#plugin = plugin;
    this.#resources = activeResources().length;
  }

  receive(message) {
    const seq = message[0];
    if (this.#spoilt || this.#seq !== 0) {
      this.#post([REFUSED, seq]);
      return;
    }
    this.#seq = seq;
    this.#outputBytes = message[2];
    this.#startedAt = now();
    this.#logs.begin(this.#startedAt, message[3]);
    this.#emits.begin(seq, this.#outputBytes);
    // In a microtask the port is no longer the "current async resource", which plugin code could ask for.
    later(() => this.#call(seq, message[1], message[4]));
  }

  #call(seq, body, deadline) {
    let result;
    try {
      const { input, context, executionId, stream } = parse(body);
      if (stream === true) this.#emits.stream();
      const emit = (value) => this.#emit(seq, value);
      const plugin = this.#plugin; // called without a `this`: the runner is not the plugin's to see
      result = plugin(input, { ...context, executionId, deadline, emit, ...this.#given });
      if (isGenerator(result)) result = read(result, emit);
      if (isThenable(result)) {
        this.#settleLater(seq, result, emit);
        return;
      }
    } catch (error) {
      this.#thrown(seq, error);
      return;
    }
    this.#finish(seq, result);
  }

  /** For the plugin's own use. What is over the cap ends the execution at once: the plugin might never stop. */
  #emit(seq, value) {
    try {
      this.#emits.add(seq, value);
    } catch (error) {
      this.#refused = error;
      if (error.type === 'OutputTooLarge') {
        this.#spoilt = true;
        this.#post([UNCAUGHT, seq, { type: error.type, message: error.message }]);
        this.#close();
      }
      throw error;
    }
  }

  #thrown(seq, error) {
    const described = describeThrown(error, this.#file);
    if (error === this.#refused) Object.assign(described, { type: error.type, message: error.message });
    this.#refused = null;
    this.#fail(seq, described);
  }

  async #settleLater(seq, promise, emit) {
    let result;
    try {
      result = await promise;
      if (isGenerator(result)) result = await read(result, emit);
    } catch (error) {
      this.#thrown(seq, error);
      return;
    }
    this.#finish(seq, result);
  }

  #finish(seq, result) {
    let output;
    try {
      output = result === undefined ? 'null' : stringify(result);
    } catch (error) {
      const why = describeThrown(error, this.#file);
      const message = `The result cannot be written as JSON: ${why.message}`;
      this.#fail(seq, { ...why, type: 'OutputInvalid', message });
      return;
    }
    if (typeof output !== 'string') {
      const message = `The result is a ${typeof result}, which JSON does not have; return plain data.`;
      this.#fail(seq, { type: 'OutputInvalid', message });
    } else if (output.length > this.#outputBytes || byteLength(output) + this.#emits.bytes > this.#outputBytes) {
      const emitted = this.#emits.bytes === 0 ? '' : ` after ${this.#emits.bytes} bytes of emits`;
      const message = `The result has ${byteLength(output)} bytes as JSON${emitted}; ${this.#outputBytes} are allowed.`;
      this.#fail(seq, { type: 'OutputTooLarge', message });
    } else this.#end([DONE, seq, output, 0, 0]);
  }

  #fail(seq, error) {
    this.#end([FAILED, seq, error, 0, 0]);
  }

  #end(message) {
    if (this.#seq !== message[1]) return; // an uncaught error has ended it already
    this.#close();
    message[3] = now() - this.#startedAt;
    message[4] = this.#leftovers();
    this.#post(message);
  }

  #close() {
    this.#seq = 0;
    this.#logs.end();
    this.#emits.end();
  }

  /**
   * Timers and handles the plugin left behind. With any, this thread is not used again: they would run, print and
   * spin within the next execution. What the plugin opened while it loaded does not count.
   */
  #leftovers() {
    const left = activeResources().length - this.#resources;
    return left > 0 ? left : 0;
  }

  /** An error nobody caught: it ends the execution under way. After it the thread is in an unknown state. */
  uncaught(error) {
    const described = describeThrown(error, this.#file);
    this.#spoilt = true;
    if (this.#plugin === null) this.#post([LOAD_FAILED, 0, described]);
    else this.#post([UNCAUGHT, this.#seq, described]);
    this.#seq = 0;
  }
}

function isThenable(value) {
  if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return false;
  return typeof value.then === 'function';
}
