// Takes away what would let a plugin speak for the runtime: the ports to the main thread, ways to find them, and
// threads of its own, which no limit here would count.
//
// This raises the bar inside one plugin's thread; it is not the boundary. What a plugin may forge at most is the result
// of its own execution, because the main thread checks every message (thread.mjs).
import { syncBuiltinESMExports } from 'node:module';
import threads from 'node:worker_threads';
import { closeInspector } from './inspector.mjs';

/** Gives an object its own fixed copies of every method it inherits: changing a prototype no longer reaches it. */
export function pinMethods(object) {
  const parent = Object.getPrototypeOf;
  for (let proto = parent(object); proto && proto !== Object.prototype; proto = parent(proto)) {
    for (const key of Reflect.ownKeys(proto)) {
      const { value } = Object.getOwnPropertyDescriptor(proto, key);
      if (typeof value !== 'function' || key === 'constructor' || Object.hasOwn(object, key)) continue;
      Object.defineProperty(object, key, { value, writable: false, configurable: false });
    }
  }
}

export function seal(file) {
  threads.parentPort.close();
  threads.parentPort = null;
  threads.workerData = null;
  threads.Worker = class Worker {
    constructor() {
      throw new Error('A plugin cannot start worker threads: it runs in one already.');
    }
  };
  delete threads.postMessageToThread;
  delete process._getActiveHandles;
  delete process._getActiveRequests;
  delete process.binding;
  closeInspector();
  process.argv = [process.execPath, file];
  syncBuiltinESMExports();
}
