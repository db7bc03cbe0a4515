// What a plugin emits: counted against the cap of its output, and sent on where somebody listens.
import { ACKED, EMIT, EMIT_BYTES, USED } from '../protocol.mjs';

const WINDOW_BYTES = 128 * 1024; // what may be on its way before an emit waits for the reader
const { stringify } = JSON;
const byteLength = Buffer.byteLength;
const { load, wait } = Atomics;

/** Why an emit was refused: the plugin's own value, or the cap. */
export class EmitRefused extends Error {
  constructor(type, message) {
    super(message);
    this.name = 'EmitRefused';
    this.type = type;
  }
}

export class Emits {
  #post;
  #state;
  #seq = 0;
  #cap = 0;
  #streams = false;
  bytes = 0; // of the execution under way

  constructor(post, shared) {
    this.#post = post;
    this.#state = new Int32Array(shared, 0, 3);
  }

  begin(seq, cap) {
    this.#seq = seq;
    this.#cap = cap;
    this.#streams = false;
    this.bytes = 0;
  }

  /** Somebody reads the emits of this execution. */
  stream() {
    this.#streams = true;
  }

  end() {
    this.#seq = 0;
  }

  /** Emits a value for the execution `seq`; what comes after its end belongs to nobody. Throws EmitRefused. */
  add(seq, value) {
    if (seq !== this.#seq) return;
    const json = value === undefined ? 'null' : this.#written(value);
    if (seq !== this.#seq) return; // its toJSON ended the execution
    this.bytes += byteLength(json) + EMIT_BYTES;
    if (this.bytes > this.#cap) {
      const message = `What was emitted has more than the ${this.#cap} bytes that are allowed for the output.`;
      throw new EmitRefused('OutputTooLarge', message);
    }
    if (!this.#streams) return;
    this.#post([EMIT, seq, json, load(this.#state, USED)]);
    for (let acked; this.bytes - (acked = load(this.#state, ACKED)) > WINDOW_BYTES; ) wait(this.#state, ACKED, acked);
  }

  #written(value) {
    let json;
    try {
      json = stringify(value);
    } catch (error) {
      throw new EmitRefused('OutputInvalid', `An emitted value cannot be written as JSON: ${reason(error)}`);
    }
    if (typeof json === 'string') return json;
    const message = `A ${typeof value} was emitted, which JSON does not have; emit plain data.`;
    throw new EmitRefused('OutputInvalid', message);
  }
}

function reason(error) {
  try {
    return `${error.name}: ${error.message}`.slice(0, 1000);
  } catch {
    return 'its own code threw.';
  }
}
