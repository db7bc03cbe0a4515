// Asks the runtime at LISTEN whether it is healthy: exit 0 or 1. For the image's HEALTHCHECK.
import { readSettings } from './settings.mjs';

// Not `import`: that reads every export, and one of http's loads all of fetch and WebSocket, 40 ms of start-up.
const http = process.getBuiltinModule('node:http');

const TIMEOUT_MS = 4000;

function target({ address, token }) {
  const host = address.host === '0.0.0.0' ? '127.0.0.1' : address.host;
  const where = address.path === undefined ? { host, port: address.port } : { socketPath: address.path };
  return { ...where, path: '/health', headers: token === null ? {} : { authorization: `Bearer ${token}` } };
}

function sick(why) {
  console.error(`unhealthy: ${why}`);
  process.exit(1);
}

try {
  const request = http.get(target(readSettings(process.env)), (response) => {
    if (response.statusCode === 200) process.exit(0);
    sick(`status ${response.statusCode}`);
  });
  request.setTimeout(TIMEOUT_MS, () => sick(`no answer within ${TIMEOUT_MS} ms`));
  request.on('error', (error) => sick(error.message));
} catch (error) {
  sick(error.message);
}
