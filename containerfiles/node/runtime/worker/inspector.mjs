// Closes Node's inspector to plugins: from a worker thread it can evaluate code in the main thread, and with that read
// whatever the other plugins of this runtime are given. Debugging one's own thread leads there as well: a debugger sees
// the scopes of Node's own functions.
const MODULES = ['node:inspector', 'node:inspector/promises'];
const CLOSED = ['open', 'waitForDebugger'];

function closed() {
  throw new Error('The inspector is not for plugins.');
}

export function closeInspector() {
  // Both first: the second is made of the first.
  for (const inspector of MODULES.map(process.getBuiltinModule)) {
    inspector.Session = class Session {
      constructor() {
        closed();
      }
    };
    for (const method of CLOSED) inspector[method] = closed;
  }
}
