// What runs first in a plugin's thread: takes what it needs, closes what the plugin must not hold, loads the plugin,
// then runs one execution after the other as the main thread asks for them.
import { workerData } from 'node:worker_threads';
import { LOAD_FAILED, READY } from '../protocol.mjs';
import { describeLoad } from './describe.mjs';
import { Emits } from './emits.mjs';
import { loadPlugin } from './load.mjs';
import { captureOutput, Logs } from './logs.mjs';
import { Runner } from './run.mjs';
import { pinMethods, seal } from './seal.mjs';
import { frozen, secretsFrom } from './settings.mjs';

const { port, slug, code, logs, settings } = workerData;
const file = `plugin:${slug}/index.js`;
// From here on the plugin may change any method it can reach: the port keeps its own copies.
pinMethods(port);
const send = port.postMessage;
const post = (message) => send.call(port, message);
const book = new Logs(logs);
captureOutput(book);
seal(file);

const given = { config: frozen(settings.config), secrets: secretsFrom(settings.secrets) };
const runner = new Runner(post, book, new Emits(post, logs), file, given);
// Listening before the load keeps the thread alive while a plugin's top level awaits something.
port.on('message', (message) => runner.receive(message));
process.setUncaughtExceptionCaptureCallback((error) => runner.uncaught(error));

try {
  runner.ready(await loadPlugin(file, code));
  post([READY]);
} catch (error) {
  post([LOAD_FAILED, 0, describeLoad(error, file, code)]);
}
