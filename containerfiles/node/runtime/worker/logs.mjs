// What a plugin prints, kept per execution in shared memory with a cap. Past the cap a print costs next to nothing:
// nothing is formatted, sent or kept. Layout: see ../protocol.mjs.
import { syncBuiltinESMExports } from 'node:module';
import { Writable } from 'node:stream';
import { format } from 'node:util';
import { LOG_HEADER_BYTES, TRUNCATED, USED } from '../protocol.mjs';

// Not `import`: that would also load fs.promises, for every thread.
const fs = process.getBuiltinModule('node:fs');
const stringify = JSON.stringify;
const now = performance.now.bind(performance);
const byteLength = Buffer.byteLength;
const round = Math.round;
const store = Atomics.store;
const ENTRY_MOST = 80; // bytes of an entry besides its message
const CUT_LEAST = 16; // a message is not cut shorter than this, but left out

/** Writes entries of the execution under way. */
export class Logs {
  #state;
  #text;
  #write;
  #cap = 0;
  #startedAt = 0;
  #full = true; // also between executions: what is printed then belongs to nobody

  constructor(shared) {
    this.#state = new Int32Array(shared, 0, 2);
    this.#text = Buffer.from(shared, LOG_HEADER_BYTES);
    const write = this.#text.utf8Write;
    this.#write = (text, at) => write.call(this.#text, text, at);
  }

  get full() {
    return this.#full;
  }

  begin(startedAt, cap) {
    this.#startedAt = startedAt;
    this.#cap = cap;
    this.#full = false;
  }

  end() {
    this.#full = true;
  }

  add(level, message) {
    if (this.#full) return;
    const used = this.#state[USED];
    const room = this.#cap - used;
    const t = round((now() - this.#startedAt) * 1000) / 1000;
    const head = `${used === 0 ? '' : ','}{"t":${t},"level":"${level}","message":`;
    let entry = `${head}${stringify(message.length > room ? cut(message, room) : message)}}`;
    if (entry.length > room || byteLength(entry) > room) {
      this.#full = true;
      this.#state[TRUNCATED] = 1;
      // Escapes make up to six bytes of one character: a cut that surely fits, or nothing.
      const most = Math.floor((room - ENTRY_MOST) / 6);
      const sure = Math.max(most, fitting(message, room - ENTRY_MOST));
      if (sure < CUT_LEAST) return;
      entry = `${head}${stringify(cut(message, sure))}}`;
      if (byteLength(entry) > room) return;
    }
    // The main thread may read it at any moment: the text first, then how much of it there is.
    store(this.#state, USED, used + this.#write(entry, used));
  }
}

/** How many characters of a message fit when they cost as much as its first ones do. */
function fitting(message, room) {
  if (room <= 0) return 0;
  const sample = message.slice(0, room);
  const cost = byteLength(stringify(sample)) - 2;
  return cost <= room ? sample.length : Math.floor((sample.length * room) / cost) - 64;
}

/** Cuts without leaving half of a surrogate pair. */
function cut(message, length) {
  const last = message.charCodeAt(length - 1);
  return message.slice(0, last >= 0xd800 && last <= 0xdbff ? length - 1 : length);
}

/** Points console.*, process.stdout/stderr and writes to descriptors 1 and 2 at the log. */
export function captureOutput(logs) {
  for (const level of ['debug', 'log', 'info', 'warn', 'error']) {
    console[level] = (...values) => {
      if (!logs.full) logs.add(level, format(...values));
    };
  }
  replaceStream(logs, 'stdout', 1);
  replaceStream(logs, 'stderr', 2);
  process._rawDebug = (...values) => {
    if (!logs.full) logs.add('stderr', format(...values));
  };
  captureDescriptors(logs);
  syncBuiltinESMExports();
}

function replaceStream(logs, level, fd) {
  let stream;
  const get = () => (stream ??= makeStream(logs, level, fd));
  Object.defineProperty(process, level, { configurable: true, enumerable: true, get });
}

/** A stream whose write() goes straight to the log: Writable's own bookkeeping would cost more than the log does. */
function makeStream(logs, level, fd) {
  const stream = new Writable();
  const write = (chunk, encoding, callback) => {
    if (!logs.full) logs.add(level, asText(chunk, encoding));
    const done = typeof encoding === 'function' ? encoding : callback;
    if (typeof done === 'function') process.nextTick(done);
    return true;
  };
  return Object.assign(stream, { write, fd, isTTY: false });
}

function asText(chunk, encoding) {
  const encoded = encoding === 'hex' || encoding === 'base64';
  if (typeof chunk === 'string') return encoded ? `${Buffer.from(chunk, encoding)}` : chunk;
  return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString('utf8');
}

/** Loggers write to descriptor 1 directly; the thread shares it with the runtime, so it must not get there. */
function captureDescriptors(logs) {
  const { write, writeSync, writev, writevSync } = fs;
  const take = (fd, data) => {
    if (fd !== 1 && fd !== 2) return -1;
    if (!logs.full) logs.add(fd === 1 ? 'stdout' : 'stderr', asText(data, 'utf8'));
    return typeof data === 'string' ? byteLength(data) : data.byteLength;
  };
  const takeAll = (fd, parts) => (fd === 1 || fd === 2 ? parts.reduce((sum, part) => sum + take(fd, part), 0) : -1);
  const sync = (taker, original) => (fd, data, ...rest) => {
    const taken = taker(fd, data);
    return taken < 0 ? original(fd, data, ...rest) : taken;
  };
  const async = (taker, original) => (fd, data, ...rest) => {
    const taken = taker(fd, data);
    if (taken < 0) original(fd, data, ...rest);
    else setImmediate(rest.at(-1), null, taken, data);
  };
  Object.assign(fs, {
    writeSync: sync(take, writeSync), writevSync: sync(takeAll, writevSync),
    write: async(take, write), writev: async(takeAll, writev),
  });
}
