// Node's permission model for the threads of plugins, one by one: a thread reads the runtime, its own bundle and the
// scratch space, writes the scratch space, and starts no process, thread, debugger, WASI or native addon. So a plugin
// cannot read its neighbours' files, nor this process' memory through /proc. (Flags of the process would not reach the
// threads, and the process itself needs more.)
//
// This is one more layer within the workspace; the boundary is the workspace itself.

const RUNTIME = new URL('.', import.meta.url).pathname.replace(/\/$/, '');
const DATA = '/data';
const DEVICES = ['/dev/null', '/dev/urandom'];

/** The arguments of a thread; none where the owner's plan lifts the restrictions. */
export function restrictions(plugin, { scratchDir, unrestricted }) {
  if (unrestricted) return [];
  const writes = [...new Set(['/tmp', scratchDir, DATA])];
  const own = plugin.content.folder === undefined ? [] : [plugin.content.folder.dir];
  return [
    '--permission',
    ...[RUNTIME, ...own, ...writes].flatMap((path) => [`--allow-fs-read=${path}`, `--allow-fs-read=${path}/*`]),
    ...writes.flatMap((path) => [`--allow-fs-write=${path}`, `--allow-fs-write=${path}/*`]),
    ...DEVICES.map((path) => `--allow-fs-read=${path}`),
    `--allow-fs-write=${DEVICES[0]}`,
  ];
}
