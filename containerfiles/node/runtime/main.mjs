// The entry point of the Node.js workspace runtime: wires the parts together, listens, and handles signals.
//
//   main → settings            what the environment says
//        → server → routes     HTTP on the main thread, which never runs plugin code
//        → plugins             which version of each plugin is current
//        → pool → thread       queue, warm threads, one execution at a time per thread
//        → guard               deadlines and memory, one shared ticker
//   execution → lines          the answer of one that streams, line by line
//   worker/*                   what runs inside a plugin's thread
import { readSettings, SettingsError } from './settings.mjs';
import { listen } from './listen.mjs';
import { createServer } from './server.mjs';
import { createRoutes } from './routes.mjs';
import { Guard } from './guard.mjs';
import { Plugins } from './plugins.mjs';
import { Pool } from './pool.mjs';

// Not `import`: that would also load fs.promises, milliseconds of start-up.
const { writeSync } = process.getBuiltinModule('node:fs');

const DRAIN_ON_SIGNAL_MS = 5000;
const THREADS_END_MS = 1000;

function say(fd, fields) {
  try {
    writeSync(fd, JSON.stringify(fields) + '\n');
  } catch {
    // Whoever read our output has gone; that is no reason to stop serving.
  }
}

/** After an error that nobody handled the state is unknown: say so and leave, the daemon starts us again. */
function failHard(error) {
  say(2, { msg: 'fatal', error: String(error?.stack ?? error).slice(0, 4096) });
  leave(1);
}

/** Leaves at once. process.exit() joins every thread, so a thread stuck in native code would hold it for ever. */
function leave(code, stuckThreads = false) {
  if (stuckThreads) process.kill(process.pid, 'SIGKILL');
  process.exit(code);
}

/** Only the end of the process gives back what a thread holds that does not end. The daemon looks for these words. */
function outOfMemory() {
  say(2, { msg: 'out of memory', error: 'A plugin that was stopped does not end, and holds more than the limit.' });
  leave(1, true);
}

function handleSignals(server, pool) {
  let stopping = false;
  const stop = async () => {
    if (stopping) leave(0, pool.stuck > 0);
    stopping = true;
    server.close();
    await Promise.race([pool.drain(), delay(DRAIN_ON_SIGNAL_MS)]);
    pool.endAll();
    await Promise.race([pool.allEnded(), delay(THREADS_END_MS)]);
    leave(0, pool.stuck > 0);
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

function delay(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function main() {
  process.on('uncaughtException', failHard);
  process.on('unhandledRejection', failHard);
  const settings = readSettings(process.env);
  const guard = new Guard(settings);
  guard.giveUp = outOfMemory;
  const pool = new Pool(settings, guard);
  const routes = createRoutes(settings, new Plugins(pool), pool);
  const server = await createServer(settings, routes);
  handleSignals(server, pool);
  say(1, { msg: 'listening', address: await listen(server, settings.address) });
}

main().catch((error) => {
  const setup = error instanceof SettingsError || error?.syscall === 'listen' || error?.syscall === 'bind';
  if (!setup) failHard(error);
  say(2, { msg: 'cannot start', error: error.message });
  leave(2);
});
