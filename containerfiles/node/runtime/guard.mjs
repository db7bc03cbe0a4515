// Deadlines and memory of everything that executes, on one shared ticker that sleeps when nothing does.
//
// Why not resourceLimits alone: they do not count Buffers, and V8 aborts the whole process, not the thread, when one
// allocation is much larger than what is left (a growing array or Map does that). So V8's own limit is set high
// (see thread.mjs) and this watchdog ends the greediest thread first.

// Not `import`: that would also load fs.promises, milliseconds of start-up.
const { readFileSync } = process.getBuiltinModule('node:fs');

const TICK_MS = 10;
const QUIET_TICKS = 50; // ticks without work before the ticker stops: no timer is made and dropped for every call
const EASE_SHARE = 0.5; // of the memory budget: from here idle threads go and the busy ones are asked what they hold
const KILL_SHARE = 0.85; // and here the greediest is ended; the rest is room for what it allocates meanwhile
const KILL_LEAST_SHARE = 1 / 16; // a thread that holds less is not why memory is short
const THREAD_BYTES = 8 * 1024 * 1024; // a thread that has not been measured yet
const SILENT_TICKS = 5; // a thread that cannot say what it holds for so long is inside one huge native operation
const UNEXPLAINED_TICKS = 10; // so long over the line and nobody admits it (SharedArrayBuffers are in no statistics)
const KILL_PAUSE_TICKS = 5; // after a kill, before the next one is chosen
const POOLED_MS = 10_000; // V8 keeps the pages of an ended thread for the next ones and returns them after about 8 s
const LEAVING_TICKS = 100; // so long all that grows may be threads' that are ending
const HOPELESS_TICKS = 300; // so long over the line while threads do not end: the whole process goes

export class Guard {
  #watched = new Set();
  #leaving = new Set(); // ended while they executed, and not yet gone: their memory is nobody else's fault
  #leavingTicks = 0;
  #leavingBytes = 0; // what was resident and nobody else's when they were ended
  #hopelessTicks = 0;
  #timer = null;
  #quiet = 0;
  #pause = 0;
  #unexplained = 0;
  #mapped = null;
  #atRest = 0;
  #pooled = 0;
  #pooledUntil = 0;

  constructor(settings) {
    this.budget = settings.memoryBytes;
    this.relieve = () => {}; // set by the pool: ends idle threads
    this.eachTick = () => {}; // set by the pool too
    this.giveUp = () => {}; // set by main: ends the process
  }

  watch(thread) {
    this.#watched.add(thread);
    if (this.#timer !== null) return;
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    if (this.#mapped !== null) return;
    this.#mapped = mappedFileBytes();
    this.#atRest = this.#privateBytes();
  }

  unwatch(thread) {
    this.#watched.delete(thread);
    if (!thread.ended) return;
    if (this.#leaving.size === 0) this.#leavingTicks = this.#leavingBytes = 0;
    this.#leaving.add(thread);
    this.#leavingBytes = Math.max(this.#leavingBytes, this.#privateBytes() - this.#knownBytes());
  }

  /** The thread has really stopped. What it held and the process still holds now is V8's pool, not anyone's use. */
  gone(thread) {
    this.#leaving.delete(thread);
    const resident = this.#privateBytes();
    if (resident < this.budget * EASE_SHARE) return;
    this.#pooled = Math.max(0, resident - this.#knownBytes());
    this.#pooledUntil = performance.now() + POOLED_MS;
  }

  #tick() {
    if (this.#watched.size + this.#leaving.size === 0) {
      if (++this.#quiet > QUIET_TICKS) this.#stop();
      return;
    }
    this.#quiet = 0;
    this.#leavingTicks++;
    const now = performance.now();
    for (const thread of this.#watched) {
      if (now >= thread.deadline) thread.expire();
      else thread.tell();
    }
    this.eachTick();
    this.#checkMemory(now);
  }

  #stop() {
    clearInterval(this.#timer);
    this.#timer = null;
    this.#quiet = 0;
  }

  #checkMemory(now) {
    const resident = this.#privateBytes();
    this.#checkHope(resident, now);
    if (resident < this.budget * EASE_SHARE) return;
    for (const thread of this.#watched) thread.measure();
    const used = this.#usedBytes(resident, now);
    if (used >= this.budget * EASE_SHARE) this.relieve();
    if (this.#pause > 0) this.#pause--;
    else if (used >= this.budget * KILL_SHARE) this.#endGreediest();
    else this.#unexplained = 0;
  }

  /** A thread inside native code cannot be ended; when it holds too much for long, nothing else gives it back. */
  #checkHope(resident, now) {
    const used = resident - (now < this.#pooledUntil ? this.#pooled : 0);
    const over = this.#leaving.size > 0 && used >= this.budget;
    this.#hopelessTicks = over ? this.#hopelessTicks + 1 : 0;
    if (this.#hopelessTicks === HOPELESS_TICKS) this.giveUp();
  }

  /**
   * What is in use: what threads say they hold, or what is resident and not explained by threads that have ended. A
   * thread that does not end explains what it held, and not for ever all that comes.
   */
  #usedBytes(resident, now) {
    const known = this.#knownBytes();
    if (this.#leaving.size > 0) {
      return this.#leavingTicks < LEAVING_TICKS ? known : Math.max(known, resident - this.#leavingBytes);
    }
    return Math.max(known, resident - (now < this.#pooledUntil ? this.#pooled : 0));
  }

  #knownBytes() {
    let sum = this.#atRest;
    for (const thread of this.#watched) sum += thread.bytes ?? THREAD_BYTES;
    return sum;
  }

  /** Ends the thread that holds most, once every one had time to say how much that is. */
  #endGreediest() {
    let greediest = null;
    let most = this.#unexplained >= UNEXPLAINED_TICKS ? 0 : this.budget * KILL_LEAST_SHARE;
    for (const thread of this.#watched) {
      const bytes = thread.silentTicks >= SILENT_TICKS ? Infinity : thread.bytes;
      if (bytes === null) return;
      if (bytes > most) [greediest, most] = [thread, bytes];
    }
    this.#unexplained++;
    if (greediest === null) return;
    this.#unexplained = 0;
    this.#pause = KILL_PAUSE_TICKS;
    greediest.outgrow();
  }

  /** Resident memory without what is mapped from files: Node's own program text is not the plugins' doing. */
  #privateBytes() {
    return process.memoryUsage.rss() - this.#mapped;
  }
}

function mappedFileBytes() {
  const line = /^RssFile:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'latin1'));
  return line === null ? 0 : Number(line[1]) * 1024;
}
