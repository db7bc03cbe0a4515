// Who runs when: at most `concurrency` executions at once, the others wait in order of arrival. Threads that are done
// stay warm for the next call of the same plugin version; the least recently used go when there are too many.
//
// A call of a plugin that answers within a millisecond or two is not worth a second thread: it waits behind the thread
// that is at work on the same plugin (on one core 1.3 to 1.6 times the calls/s). As soon as that thread lets STALLED_TICKS
// of the guard pass without an answer, what waits behind it goes to other threads. (Ticks and not milliseconds: where a
// CPU quota freezes the whole process, nothing has stalled.)
import { Fifo } from './fifo.mjs';
import { LoadFailure, cancelled, reported } from './outcomes.mjs';
import { PluginThread } from './thread.mjs';

const MEBIBYTE = 1024 * 1024;
const THREAD_BYTES = 16 * MEBIBYTE; // what an idle thread holds, with room
const RUNTIME_BYTES = 64 * MEBIBYTE;
const WARM_MOST = 16;
const LOADS_AT_ONCE = 2;
const REFUSALS_MOST = 3;
const QUICK_MS = 2;
const STALLED_TICKS = 2;
const LOAD_GRACE_TICKS = 20; // a loading thread has not stalled: others would have to load as well

export class Pool {
  executions = 0; // ended ones, since start
  draining = false;
  stuck = 0; // threads that were told to end and have not
  #running = new Map(); // thread or loading execution's thread → execution
  #byId = new Map();
  #queue = new Fifo();
  #crowded = new Set(); // plugins with calls waiting behind a thread of theirs
  #order = 0;
  #tick = 0;
  #warm = new Set(); // idle threads, least recently used first
  #threads = new Set(); // every thread that is not ended
  #loads = new Fifo();
  #loading = 0;
  #idleWaiters = [];
  #goneWaiters = [];

  constructor(settings, guard) {
    this.settings = settings;
    this.guard = guard;
    const room = Math.floor((settings.memoryBytes - RUNTIME_BYTES) / THREAD_BYTES);
    this.threadsMost = Math.max(settings.concurrency, Math.min(WARM_MOST, room));
    guard.relieve = () => this.#shrink(0);
    guard.eachTick = () => this.#unstall();
  }

  get inflight() {
    return this.#byId.size;
  }

  get queued() {
    return this.#byId.size - this.#running.size;
  }

  get threads() {
    return this.#threads.size;
  }

  /** Takes an execution; false when its id is already under way. */
  submit(execution) {
    if (this.#byId.has(execution.id)) return false;
    this.#byId.set(execution.id, execution);
    execution.plugin.hold();
    execution.order = ++this.#order;
    const { plugin } = execution;
    if (plugin.busy > 0 && plugin.paceMs < QUICK_MS) {
      plugin.behind.push(execution);
      this.#crowded.add(plugin);
    } else this.#startOrQueue(execution);
    return true;
  }

  /** Ends an execution, running or waiting; false when there is none of that id. */
  cancel(id) {
    const execution = this.#byId.get(id);
    if (execution === undefined) return false;
    if (execution.thread !== null) execution.thread.cancel();
    else this.#refuse(execution, cancelled());
    return true;
  }

  /** Loads a plugin version in a fresh thread and keeps that warm. Rejects with a LoadFailure. */
  async load(plugin) {
    await this.#loadTurn();
    const before = performance.now();
    try {
      const thread = this.#spawn(plugin);
      await thread.load();
      if (thread.fit) this.#rest(thread);
    } finally {
      this.#loading--;
      this.#loads.shift()?.();
    }
    return Math.round((performance.now() - before) * 1000) / 1000;
  }

  /** A version that is no longer current: idle threads go now, busy ones when they are done. */
  retire(plugin) {
    if (plugin.retired) return;
    plugin.retired = true;
    for (const thread of [...plugin.idle]) thread.retire();
    plugin.leaveWhenDone();
  }

  /** Refuses new executions from now on; resolves when those under way have ended. */
  drain() {
    this.draining = true;
    if (this.#byId.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idleWaiters.push(resolve));
  }

  endAll() {
    for (const execution of [...this.#byId.values()]) this.cancel(execution.id);
    for (const thread of [...this.#threads]) thread.retire();
  }

  allEnded() {
    if (this.#threads.size + this.stuck === 0) return Promise.resolve();
    return new Promise((resolve) => this.#goneWaiters.push(resolve));
  }

  // What threads tell.

  settled(thread, execution) {
    const { plugin } = thread;
    plugin.paceMs += (execution.durationMs - plugin.paceMs) / 8;
    plugin.answeredTick = this.#tick;
    this.#leave(thread);
    if (!thread.fit) thread.retire();
    else if (!this.#runNextBehind(thread, plugin)) {
      if (plugin.retired) thread.retire();
      else this.#rest(thread);
    }
    this.#finished(execution);
  }

  /** The thread had become unfit before it began: another one takes the execution, ahead of the queue. */
  refused(thread, execution) {
    this.#leave(thread);
    execution.thread = null;
    execution.refusals = (execution.refusals ?? 0) + 1;
    if (execution.refusals <= REFUSALS_MOST) {
      this.#start(execution);
      this.#pump();
    } else this.#refuse(execution, reported({ message: 'The plugin fails in the background before each call.' }));
  }

  /** No longer used, whoever ended it; `gone` follows when its thread has really stopped. */
  ended(thread) {
    this.#threads.delete(thread);
    this.stuck++;
    if (!this.#warm.delete(thread)) return;
    const idle = thread.plugin.idle;
    idle.splice(idle.indexOf(thread), 1);
  }

  gone(thread) {
    this.stuck--;
    this.guard.gone(thread);
    thread.plugin.letGo();
    if (this.#threads.size + this.stuck > 0) return;
    for (const resolve of this.#goneWaiters.splice(0)) resolve();
  }

  // Inside.

  #startOrQueue(execution) {
    if (this.#running.size < this.settings.concurrency) this.#start(execution);
    else this.#queue.push(execution);
  }

  #enter(thread, execution) {
    this.#running.set(thread, execution);
    execution.thread = thread;
    if (++execution.plugin.busy === 1) execution.plugin.answeredTick = this.#tick;
  }

  /** The thread is no longer at work. With nobody left to wait behind, those who did go the ordinary way. */
  #leave(thread) {
    this.#running.delete(thread);
    if (--thread.plugin.busy === 0 && !thread.fit) this.#toQueue(thread.plugin);
  }

  /** Gives a thread the next call that waits behind it, unless one in the queue came earlier. */
  #runNextBehind(thread, plugin) {
    let next = plugin.behind.peek();
    while (next?.settled) {
      plugin.behind.shift();
      next = plugin.behind.peek();
    }
    if (next === undefined) {
      this.#crowded.delete(plugin);
      return false;
    }
    if (this.#queue.size > 0 && this.#queue.peek().order < next.order) {
      this.#toQueue(plugin);
      return false;
    }
    plugin.behind.shift();
    this.#enter(thread, next);
    thread.run(next);
    return true;
  }

  #toQueue(plugin) {
    this.#crowded.delete(plugin);
    for (let next; (next = plugin.behind.shift()) !== undefined; ) {
      if (!next.settled) this.#queue.push(next);
    }
  }

  #unstall() {
    this.#tick++;
    for (const plugin of this.#crowded) {
      if (this.#tick - plugin.answeredTick >= STALLED_TICKS) this.#toQueue(plugin);
    }
    this.#pump();
  }

  #start(execution) {
    const warm = execution.plugin.idle.pop();
    if (warm !== undefined) this.#warm.delete(warm);
    const thread = warm ?? this.#spawn(execution.plugin);
    this.#enter(thread, execution);
    if (warm !== undefined) thread.run(execution);
    else this.#loadThenRun(thread, execution);
  }

  /** A cold call: the load has its own deadline, the execution's clock starts after it. */
  async #loadThenRun(thread, execution) {
    const { plugin } = execution;
    if (plugin.busy === 1) plugin.answeredTick = this.#tick + LOAD_GRACE_TICKS;
    try {
      await thread.load();
    } catch (error) {
      if (!(error instanceof LoadFailure)) throw error;
      this.#leave(thread);
      this.#refuse(execution, error.outcome ?? reported({ message: error.message, stack: error.details.stack }));
      return;
    }
    plugin.answeredTick = this.#tick;
    thread.run(execution);
  }

  #spawn(plugin) {
    this.#shrink(this.threadsMost - 1);
    const thread = new PluginThread(plugin, this.settings, this.guard, this);
    this.#threads.add(thread);
    plugin.hold();
    return thread;
  }

  /** Ends the least recently used idle threads until at most `most` threads are left, or none is idle. */
  #shrink(most) {
    for (const thread of this.#warm) {
      if (this.#threads.size <= most) return;
      thread.retire();
    }
  }

  #rest(thread) {
    this.#warm.add(thread);
    thread.plugin.idle.push(thread);
  }

  /** Ends an execution that no thread runs. */
  #refuse(execution, error) {
    const text = JSON.stringify(error);
    execution.settle({ output: 'null', error: text, logs: '[]', logsTruncated: false, durationMs: 0 });
    this.#finished(execution);
  }

  #finished(execution) {
    this.executions++;
    this.#byId.delete(execution.id);
    execution.plugin.letGo();
    this.#pump();
    if (this.#byId.size > 0) return;
    for (const resolve of this.#idleWaiters.splice(0)) resolve();
  }

  #pump() {
    while (this.#running.size < this.settings.concurrency && this.#queue.size > 0) {
      const next = this.#queue.shift();
      if (!next.settled) this.#start(next);
    }
  }

  #loadTurn() {
    if (this.#loading++ < LOADS_AT_ONCE) return Promise.resolve();
    return new Promise((resolve) => this.#loads.push(resolve));
  }
}
