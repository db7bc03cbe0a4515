// The main process of the engine's tests. WSMGR_OUTPUT_BYTES says what it does: see tests/contract/engine/rig.py.
import { createServer } from 'node:net';

const EXITS = '4003';
const STUBBORN = '4015';
const FLOODS = '4020';
const behaviour = process.env.WSMGR_OUTPUT_BYTES;

console.log('the test runtime started');
if (behaviour === EXITS) process.exit(3);
process.on('SIGTERM', () => {
  if (behaviour !== STUBBORN) process.exit(0);
});
if (behaviour === FLOODS) for (let n = 0; n < 100_000; n += 1) console.log(`${n} ${'x'.repeat(100)}`);
// Connecting takes write permission on the socket, and the daemon is another user than the workspace's.
process.umask(0);
createServer((socket) => socket.on('error', () => {}).end('here\n')).listen(process.env.LISTEN);
