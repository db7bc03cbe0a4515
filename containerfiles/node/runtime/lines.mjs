// The answer to one streaming execution: a line of JSON for each log entry and each emit, in the order in which they
// came about, and at last one for the result.
//
// Nothing piles up for a slow reader: a plugin that emits waits (worker/emits.mjs) while more than a window of what it
// emitted was not taken from us, and what it may print is capped anyway.
import { ACKED, USED } from './protocol.mjs';

const TYPE = 'application/x-ndjson';

export class Lines {
  #reply;
  #state = null;
  #text = null;
  #told = 0; // bytes of the log that have been sent
  #emitted = 0; // what the plugin emitted, in bytes as they count
  #draining = false;
  #broken = false; // the log cannot be read: it is left to the result

  constructor(reply) {
    this.#reply = reply;
  }

  /** The execution starts: its log is in this shared memory. */
  begin(state, text) {
    this.#state = state;
    this.#text = text;
    this.#told = 0;
    this.#emitted = 0;
  }

  /** How much of the log there is. */
  printed() {
    return this.#state === null ? 0 : Math.min(Math.max(Atomics.load(this.#state, USED), 0), this.#text.length);
  }

  /** Sends what was printed, up to that many bytes of the log. */
  tell(upTo) {
    if (this.#broken || upTo <= this.#told) return;
    const from = this.#told === 0 ? 0 : this.#told + 1; // past the comma
    this.#told = upTo;
    try {
      const entries = JSON.parse(`[${this.#text.utf8Slice(from, upTo)}]`);
      this.#write(entries.map((entry) => `{"log":${JSON.stringify(entry)}}\n`).join(''));
    } catch {
      this.#broken = true;
    }
  }

  /** Sends one emitted value, which counts as `bytes`, after what had been printed before it. */
  emit(json, bytes, upTo) {
    this.tell(Math.min(upTo, this.printed()));
    this.#emitted += bytes;
    if (this.#write(`{"emit":${json}}\n`)) this.#acknowledge();
    else if (!this.#draining) {
      this.#draining = true;
      this.#reply.response.once('drain', () => {
        this.#draining = false;
        this.#acknowledge();
      });
    }
  }

  get emitted() {
    return this.#emitted;
  }

  /** Sends the rest of the log and the result, which is JSON text, and ends the answer. */
  finish(result) {
    this.tell(this.printed());
    this.#state = null;
    this.#write(`{"result":${result}}\n`);
    this.#reply.response.end();
  }

  #write(text) {
    const { response } = this.#reply;
    if (response.destroyed || text === '') return true;
    if (!response.headersSent) {
      response.sendDate = false;
      response.writeHead(200, ['Content-Type', TYPE]);
    }
    return response.write(text);
  }

  /** The plugin may emit on. */
  #acknowledge() {
    if (this.#state === null) return;
    Atomics.store(this.#state, ACKED, this.#emitted);
    Atomics.notify(this.#state, ACKED);
  }
}
