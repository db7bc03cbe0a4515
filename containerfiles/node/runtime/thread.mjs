// One worker thread that holds one loaded plugin version, seen from the main thread. It loads, then runs one execution
// at a time. Everything it says is untrusted: shapes, sizes and the execution it speaks of are checked, and a thread
// that says anything else is ended.
import { MessageChannel, Worker, receiveMessageOnPort } from 'node:worker_threads';
import * as outcome from './outcomes.mjs';
import {
  ACKED, DONE, EMIT, EMIT_BYTES, FAILED, LOAD_FAILED, LOG_HEADER_BYTES, READY, REFUSED, TRUNCATED, UNCAUGHT, USED,
} from './protocol.mjs';

const MEBIBYTE = 1024 * 1024;
const ENTRY = new URL('./worker/entry.mjs', import.meta.url);
const ENVIRONMENT = Object.freeze({
  NODE_ENV: 'production', TZ: 'UTC', LANG: 'C.UTF-8', HOME: '/tmp', TMPDIR: '/tmp',
});
const LOG_ROOM_BYTES = MEBIBYTE; // shared memory for logs per thread; a page of it costs nothing until it is written

export class PluginThread {
  deadline = Infinity;
  ended = false; // no longer used; its thread may still be on its way out
  fit = true; // may be given another execution
  bytes = null; // what it held when it was last measured
  silentTicks = 0;
  #execution = null;
  #loading = null;
  #seq = 0;
  #startedAt = 0;
  #measuring = false;

  /** `owner` is told `ended(thread)`, `settled(thread, execution)`, `refused(thread, execution)` and `gone(thread)`. */
  constructor(plugin, settings, guard, owner) {
    this.plugin = plugin;
    this.settings = settings;
    this.guard = guard;
    this.owner = owner;
    this.logRoom = Math.max(LOG_ROOM_BYTES, settings.logBytes);
    const shared = new SharedArrayBuffer(LOG_HEADER_BYTES + this.logRoom);
    this.logState = new Int32Array(shared, 0, 3);
    this.logText = Buffer.from(shared, LOG_HEADER_BYTES);
    const channel = new MessageChannel();
    this.port = channel.port1;
    this.port.on('message', (message) => this.#receive(message));
    this.port.on('messageerror', () => this.#end(outcome.crashed('it sent something that is not a message.')));
    this.worker = this.#spawn(plugin, channel.port2, shared);
  }

  #spawn(plugin, port, logs) {
    const worker = new Worker(ENTRY, {
      name: `plugin:${plugin.slug}`,
      workerData: { port, logs, slug: plugin.slug, code: plugin.code, settings: plugin.settings },
      transferList: [port],
      env: ENVIRONMENT,
      argv: [],
      execArgv: [],
      stdin: false,
      stdout: true,
      stderr: true,
      resourceLimits: resourceLimits(this.settings.memoryBytes),
    });
    // Plugins write to captured streams (worker/logs.mjs); whatever finds its way past them must not pile up here.
    // (Reading it with resume() would call back into the streams that the thread has replaced.)
    worker.stdout.push = worker.stderr.push = () => true;
    worker.on('error', (error) => this.#end(this.#fromError(error)));
    worker.on('exit', (code) => this.#exited(code));
    return worker;
  }

  /** Resolves once the plugin is loaded, within the load timeout; otherwise rejects with a LoadFailure. */
  load() {
    this.deadline = performance.now() + this.settings.loadTimeoutMs;
    this.guard.watch(this);
    return new Promise((resolve, reject) => (this.#loading = { resolve, reject }));
  }

  /** Starts an execution; its clock starts here. */
  run(execution) {
    this.#execution = execution;
    for (const cell of [USED, TRUNCATED, ACKED]) Atomics.store(this.logState, cell, 0);
    execution.lines?.begin(this.logState, this.logText);
    this.#startedAt = performance.now();
    this.deadline = this.#startedAt + execution.timeoutMs;
    this.guard.watch(this);
    const logBytes = Math.min(execution.logBytes, this.logRoom);
    const endsAt = Math.round(Date.now() + execution.timeoutMs);
    this.port.postMessage([++this.#seq, execution.body, execution.outputBytes, logBytes, endsAt]);
  }

  /** The deadline has passed. An answer that is here already, and only unread, still counts. */
  expire() {
    this.#readPending();
    if (this.ended || performance.now() < this.deadline) return;
    const ms = this.#loading ? this.settings.loadTimeoutMs : this.#execution.timeoutMs;
    this.#end(outcome.timeout(ms));
  }

  /** Passes on what was printed since the last look, and before it what was emitted earlier. */
  tell() {
    const lines = this.#execution?.lines;
    if (lines == null) return;
    const printed = lines.printed();
    this.#readPending();
    if (this.#execution?.lines === lines) lines.tell(printed);
  }

  outgrow() {
    this.#end(outcome.outOfMemory());
  }

  cancel() {
    this.#end(outcome.cancelled());
  }

  /** Ends a thread nobody waits for. */
  retire() {
    this.#end(null);
  }

  /** Asks the thread what it holds. V8 answers between two steps of even a spinning plugin. */
  measure() {
    if (this.#measuring) {
      this.silentTicks++;
      return;
    }
    this.#measuring = true;
    const measured = (heap) => {
      this.#measuring = false;
      this.silentTicks = 0;
      if (heap) this.bytes = heap.used_heap_size + heap.external_memory + heap.malloced_memory;
    };
    this.worker.getHeapStatistics().then(measured, () => measured(null));
  }

  #receive(message) {
    if (this.ended) return;
    const [kind, seq] = Array.isArray(message) ? message : [];
    const execution = this.#execution;
    if (kind === DONE && execution !== null && seq === this.#seq && isOutput(message[2], execution.outputBytes)) {
      this.fit = this.fit && message[4] === 0;
      this.#settle(message[2], null, message[3]);
    } else if (kind === FAILED && execution !== null && seq === this.#seq) {
      this.fit = this.fit && message[4] === 0;
      this.#settle('null', outcome.reported(message[2]), message[3]);
    } else this.#receiveRare(kind, seq, message);
  }

  #receiveRare(kind, seq, message) {
    const running = this.#execution !== null;
    if (kind === READY && this.#loading !== null) this.#loaded();
    else if (kind === LOAD_FAILED && this.#loading !== null) this.#end(null, outcome.loadFailure(message[2]));
    else if (kind === UNCAUGHT && running && seq === this.#seq) this.#end(outcome.reported(message[2]));
    else if (kind === UNCAUGHT && seq === 0) this.#unfit(running);
    else if (kind === REFUSED && running && seq === this.#seq) this.#giveBack();
    else if (kind === EMIT && running && seq === this.#seq && this.#isEmit(message)) this.#emitted(message);
    else this.#end(outcome.crashed('it sent a malformed message.'));
  }

  #isEmit([, , json, printed]) {
    const { lines, outputBytes } = this.#execution;
    if (lines === null || !isOutput(json, outputBytes) || !Number.isInteger(printed)) return false;
    return lines.emitted + Buffer.byteLength(json) + EMIT_BYTES <= outputBytes;
  }

  #emitted([, , json, printed]) {
    this.#execution.lines.emit(json, Buffer.byteLength(json) + EMIT_BYTES, printed);
  }

  /** An async error between two executions: what was just sent comes back refused, so it is not lost. */
  #unfit(running) {
    this.fit = false;
    if (!running) this.retire();
  }

  #loaded() {
    const { resolve } = this.#loading;
    this.#loading = null;
    this.#rest();
    resolve();
  }

  #rest() {
    this.deadline = Infinity;
    this.bytes = null;
    this.guard.unwatch(this);
  }

  #giveBack() {
    const execution = this.#execution;
    this.#execution = null;
    this.#end(null);
    this.owner.refused(this, execution);
  }

  #settle(output, error, duration) {
    const execution = this.#execution;
    this.#execution = null;
    this.#rest();
    const used = Math.min(Math.max(this.logState[USED], 0), this.logRoom);
    execution.settle({
      output,
      error: error === null ? 'null' : JSON.stringify(error),
      logs: used === 0 ? '[]' : `[${this.logText.utf8Slice(0, used)}]`,
      logsTruncated: this.logState[TRUNCATED] === 1,
      durationMs: milliseconds(duration, this.#startedAt),
    });
    this.owner.settled(this, execution);
  }

  /** Ends the thread, and whatever it was doing ends with `error` (or `failure`, when it was loading). */
  #end(error, failure = null) {
    if (this.ended) return;
    this.ended = true;
    this.fit = false;
    this.worker.terminate();
    this.#rest();
    this.owner.ended(this);
    if (this.#loading !== null) {
      this.#loading.reject(failure ?? loadingEnded(error));
      this.#loading = null;
    }
    if (this.#execution !== null) this.#settle('null', error ?? outcome.cancelled(), null);
  }

  #exited(code) {
    this.#readPending();
    this.#end(outcome.exited(code));
    this.port.close();
    this.owner.gone(this);
  }

  /** A thread may answer and leave at once; its answer can still be on the way when its end is seen. */
  #readPending() {
    for (let pending; !this.ended && (pending = receiveMessageOnPort(this.port)) !== undefined; ) {
      this.#receive(pending.message);
    }
  }

  #fromError(error) {
    if (error?.code === 'ERR_WORKER_OUT_OF_MEMORY') return outcome.outOfMemory();
    return outcome.crashed(String(error?.message).slice(0, 500));
  }
}

/**
 * V8's own limits. The heap limit is far above the budget on purpose: reaching it with one large allocation aborts the
 * process, while the watchdog (guard.mjs) acts on the budget itself. The nursery is small so that idle threads are.
 */
function resourceLimits(memoryBytes) {
  const budget = memoryBytes / MEBIBYTE;
  return {
    maxOldGenerationSizeMb: Math.max(2 * budget, budget + 512),
    maxYoungGenerationSizeMb: Math.min(32, Math.max(6, Math.floor(budget / 16))),
    stackSizeMb: 4,
  };
}

function loadingEnded(error) {
  const message = {
    Timeout: 'The plugin did not finish loading in time: its top level must not run for long.',
    OutOfMemory: 'The plugin used more memory than its workspace may have while it loaded.',
    Exit: 'The plugin ended its own thread while it loaded (process.exit).',
  }[error?.type];
  const failure = new outcome.LoadFailure(message ?? error?.message ?? 'The load was called off.', { stack: '' });
  failure.outcome = error;
  return failure;
}

/** UTF-8 is never shorter than the string's length, so this bounds what a forged output can cost. */
function isOutput(value, most) {
  return typeof value === 'string' && value.length > 0 && value.length <= most;
}

function milliseconds(told, startedAt) {
  const ms = typeof told === 'number' && told >= 0 && told < 1e10 ? told : performance.now() - startedAt;
  return Math.round(ms * 1000) / 1000;
}
