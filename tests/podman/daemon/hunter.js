// Looks for canaries wherever JavaScript can look. It knows their form alone, so that it never finds what it brought.
const { createHash } = require('node:crypto');
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const threads = require('node:worker_threads');
const { inspect } = require('node:util');

const CANARY = /canary-[0-9a-f]{32}/g;
const FOLDERS = ['/tmp', '/run', '/dev', '/opt', '/plugins', '/etc', '/var'];
const DAEMON = '/run/wsmgr/daemon'; // the daemon's, closed
const FILE_MOST = 1 << 20;
const REGION_MOST = 16n << 20n; // V8 keeps objects in small ones; what is larger is mostly not there yet

const linked = (at) => fs.readlinkSync(at);
const deeply = (value, depth) => inspect(value, { depth, showHidden: true });
const list = (folder) => fs.readdirSync(folder);
const processes = () => list('/proc').filter((name) => /^\d+$|^self$|^thread-self$/.test(name));

/** Devices are bound over files, which the folder still takes them for. */
const isSmallFile = (status) => status.isFile() && status.size <= FILE_MOST;

function* files(folder) {
  if (folder === DAEMON) return;
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const at = path.join(folder, entry.name);
    if (entry.isDirectory()) yield* files(at);
    else if (entry.isFile() && isSmallFile(fs.statSync(at))) yield at;
  }
}

function* memory(pid) {
  const fd = fs.openSync(`/proc/${pid}/mem`, 'r');
  try {
    for (const line of fs.readFileSync(`/proc/${pid}/maps`, 'latin1').split('\n')) {
      const [, from, to, mode] = /^(\w+)-(\w+) (\S+)/.exec(line) ?? [];
      if (!mode?.startsWith('rw') || BigInt(`0x${to}`) - BigInt(`0x${from}`) > REGION_MOST) continue;
      for (let at = BigInt(`0x${from}`); at < BigInt(`0x${to}`); at += 1048576n) {
        const page = Buffer.alloc(1048576 + 64);
        try {
          yield page.latin1Slice(0, fs.readSync(fd, page, 0, page.length, at));
        } catch {
          break; // not mapped any more
        }
      }
    }
  } finally {
    fs.closeSync(fd);
  }
}

async function* heap() {
  let rest = '';
  for await (const chunk of require('node:v8').getHeapSnapshot()) {
    yield rest + chunk;
    rest = String(chunk).slice(-64);
  }
}

function mainThread() {
  return new Promise((resolve, reject) => {
    const session = new (require('node:inspector').Session)();
    session.connectToMainThread();
    const alive = setInterval(() => {}, 1000); // a question that is open keeps no thread
    session.post('Runtime.evaluate', { expression: 'globalThis.canary' }, (error, found) => {
      clearInterval(alive);
      if (error) reject(error);
      else resolve(inspect(found));
    });
  });
}

function ask(method, url, body) {
  return new Promise((resolve, reject) => {
    const request = http.request({ socketPath: `${DAEMON}/api.sock`, method, path: url }, async (response) => {
      let text = '';
      for await (const chunk of response) text += chunk;
      resolve(`${response.statusCode} ${text}`);
    });
    request.on('error', reject).end(body);
  });
}

const PLACES = {
  context: (context) => deeply(context, 9) + JSON.stringify(context),
  secrets: (context) => Object.values(context.secrets ?? {}).join(),
  environment: () => JSON.stringify([process.env, process.argv, process.execArgv, process.title, process.config]),
  report: () => JSON.stringify(process.report.getReport()),
  threads: () => deeply([threads.workerData, threads.parentPort, Object.entries(threads)], 9),
  globals: () => deeply(globalThis, 3) + inspect(require.cache) + inspect(process, { depth: 4 }),
  heap,
  mainThread,
  health: () => ask('GET', '/health'),
  neighbour: () => ask('POST', '/execute', JSON.stringify({ plugin: 'keeper', input: ['context'] })),
};

/** What is read for each of many names; each that cannot be read is told by its error. */
const MANY = {
  environs: [processes, (pid) => fs.readFileSync(`/proc/${pid}/environ`, 'latin1')],
  commands: [processes, (pid) => fs.readFileSync(`/proc/${pid}/cmdline`, 'latin1')],
  memory: [() => ['self', 1], memory],
  descriptors: [processes, (pid) => list(`/proc/${pid}/fd`).map((fd) => linked(`/proc/${pid}/fd/${fd}`)).join()],
  files: [() => FOLDERS, (folder) => [...files(folder)].map((at) => fs.readFileSync(at, 'latin1')).join('\n')],
};

async function look(report, read) {
  try {
    const seen = await read();
    for await (const text of typeof seen === 'string' ? [seen] : seen) {
      report.bytes += text.length;
      for (const match of text.match(CANARY) ?? []) report.found.add(match);
    }
  } catch (error) {
    report.refused.add(error.code ?? error.message);
  }
}

async function hunt(places, context) {
  const reports = {};
  for (const place of places) {
    const report = (reports[place] = { bytes: 0, found: new Set(), refused: new Set() });
    if (PLACES[place]) await look(report, () => PLACES[place](context));
    else for (const name of MANY[place][0]()) await look(report, () => MANY[place][1](name));
  }
  // Digests: an output is stored, and no record is to hold what was found.
  const digest = (text) => createHash('sha256').update(text).digest('hex');
  const plain = ({ bytes, found, refused }) => ({ bytes, found: [...found].map(digest), refused: [...refused] });
  return Object.fromEntries(Object.entries(reports).map(([place, report]) => [place, plain(report)]));
}

module.exports = (places, context) => hunt(places, context);
module.exports.every = [...Object.keys(PLACES), ...Object.keys(MANY)];
