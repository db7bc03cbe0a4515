// What the environment says, read once at start and checked. Nothing else in the runtime reads process.env.

const MEBIBYTE = 1024 * 1024;

/** A setting that cannot be used. Its message is one line and names the variable. */
export class SettingsError extends Error {}

/** Reads every setting, or throws a SettingsError that says which one is wrong and what it may be. */
export function readSettings(env) {
  return Object.freeze({
    address: parseListen(env.LISTEN ?? '3000'),
    memoryBytes: integer(env, 'WSMGR_MEMORY_MB', 256, 32, 1024 * 1024) * MEBIBYTE,
    concurrency: integer(env, 'WSMGR_CONCURRENCY', 4, 1, 256),
    outputBytes: integer(env, 'WSMGR_OUTPUT_BYTES', MEBIBYTE, 1, 256 * MEBIBYTE),
    logBytes: integer(env, 'WSMGR_LOG_BYTES', 65536, 0, 16 * MEBIBYTE),
    inputBytes: integer(env, 'WSMGR_INPUT_BYTES', 8 * MEBIBYTE, 64, 256 * MEBIBYTE),
    loadTimeoutMs: integer(env, 'WSMGR_LOAD_TIMEOUT_MS', 15_000, 10, 600_000),
    pluginDir: parseFolder(env, 'PLUGIN_DIR', '/plugins'),
    scratchDir: parseFolder(env, 'TMPDIR', '/tmp'),
    unrestricted: env.WSMGR_UNRESTRICTED === '1',
    token: parseToken(env.WSMGR_TOKEN),
  });
}

/**
 * `LISTEN`: a path (it contains a slash), `port`, `host:port` or `[v6]:port`, or `fd:number`, a socket that was handed in
 * and is bound already. Port 0 means any free one.
 */
export function parseListen(text) {
  if (text.includes('/')) return { path: text };
  if (/^fd:[0-9]{1,5}$/.test(text)) return { fd: Number(text.slice(3)) };
  const match = /^(?:(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+)):)?([0-9]{1,5})$/.exec(text);
  const port = match ? Number(match[3]) : -1;
  if (port < 0 || port > 65535) {
    throw new SettingsError(`LISTEN=${quote(text)} is neither a socket path (with a slash), a port, host:port, nor fd:number`);
  }
  return { host: match[1] ?? match[2] ?? '0.0.0.0', port };
}

function integer(env, name, fallback, least, most) {
  const text = env[name];
  if (text === undefined || text === '') return fallback;
  const value = /^[0-9]{1,15}$/.test(text) ? Number(text) : NaN;
  if (!(value >= least && value <= most)) {
    throw new SettingsError(`${name}=${quote(text)} must be a whole number from ${least} to ${most}`);
  }
  return value;
}

function parseFolder(env, name, fallback) {
  const path = env[name] || fallback;
  if (!/^\/[^\0*]*$/.test(path)) throw new SettingsError(`${name}=${quote(path)} must be an absolute path without "*"`);
  return path.replace(/(.)\/+$/, '$1');
}

function parseToken(text) {
  if (text === undefined || text === '') return null;
  if (!/^[\x21-\x7e]{1,512}$/.test(text)) {
    throw new SettingsError('WSMGR_TOKEN must be 1 to 512 printable ASCII characters without spaces');
  }
  return text;
}

function quote(text) {
  return JSON.stringify(text.slice(0, 100));
}
