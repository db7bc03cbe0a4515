// Binding the address of LISTEN: a private unix socket, TCP, or a socket that is bound already.
import { SettingsError } from './settings.mjs';

// Not `import`: that would also load fs.promises, milliseconds of start-up.
const { lstatSync, unlinkSync } = process.getBuiltinModule('node:fs');

/** Starts listening; resolves to the address as text (with the real port when port 0 was asked for). */
export function listen(server, address) {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    const ready = () => {
      server.off('error', reject);
      resolve(address.fd === undefined ? describe(server.address()) : `fd:${address.fd}`);
    };
    if (address.fd !== undefined) server.listen({ fd: address.fd }, ready);
    else if (address.path === undefined) server.listen(address.port, address.host, ready);
    else listenOnPath(server, address.path, ready);
  });
}

/**
 * Mode 0666: the daemon connects from outside the container's user namespace, as another uid. Who can reach the socket
 * at all is decided by its directory: a mount of this workspace's own, or a folder of the daemon's user alone.
 */
function listenOnPath(server, path, ready) {
  removeStaleSocket(path);
  const before = process.umask(0o111);
  try {
    server.listen(path, ready);
  } finally {
    process.umask(before);
  }
}

/** A socket left by a killed predecessor is in the way of bind(). Anything else at that path is not ours to remove. */
function removeStaleSocket(path) {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) throw new SettingsError(`LISTEN=${path} exists and is not a socket`);
  unlinkSync(path);
}

function describe(address) {
  if (typeof address === 'string') return address;
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return `${host}:${address.port}`;
}
