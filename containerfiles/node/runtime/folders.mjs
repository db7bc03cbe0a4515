// Where the files of bundles lie while a version is loaded: <root>/<slug>/<version>/. A folder is written before its
// version loads and goes with the last thread of it.
import { HttpError } from './http-error.mjs';

// Not `import`: that would also load fs.promises, milliseconds of start-up.
const fs = process.getBuiltinModule('node:fs');

const AT_ONCE = 64; // files written between two looks at the network
const PATH_MOST = 512;
const PLAIN = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}$/;

export class Folders {
  #root;
  #used = new Set();

  constructor(root) {
    this.#root = root;
  }

  /** Writes a bundle's files; resolves to `{dir, entry}`. Throws an HttpError for a bundle that is none. */
  async write(slug, version, bundle) {
    const files = checked(bundle);
    const dir = this.#free(`${this.#root}/${slug}/${PLAIN.test(version) ? version : digest(version)}`);
    this.#used.add(dir);
    try {
      // What another runtime left there is nobody's any more.
      fs.rmSync(dir, { recursive: true, force: true });
      fs.mkdirSync(dir, { recursive: true });
      let written = 0;
      for (const { path, data } of files) {
        const at = path.lastIndexOf('/');
        if (at > 0) fs.mkdirSync(`${dir}/${path.slice(0, at)}`, { recursive: true });
        fs.writeFileSync(`${dir}/${path}`, Buffer.from(data, 'base64'), { flag: 'wx', mode: 0o444 });
        if (++written % AT_ONCE === 0) await new Promise(setImmediate);
      }
    } catch (error) {
      this.remove(dir);
      if (error.code === 'ENOSPC') throw new FoldersFull();
      throw new HttpError(422, 'invalid', `The bundle cannot be written: ${error.code ?? error.message}.`);
    }
    return { dir, entry: bundle.entry };
  }

  /** A version can come back while the last thread of its first coming still ends: each has a folder of its own. */
  #free(dir) {
    for (let number = 1; ; number++) {
      const candidate = number === 1 ? dir : `${dir}.${number}`;
      if (!this.#used.has(candidate)) return candidate;
    }
  }

  remove(dir) {
    this.#used.delete(dir);
    try {
      fs.rmSync(dir, { recursive: true, force: true });
    } catch {
      // A plugin may have changed its own files so that they cannot be removed; they count against its workspace.
    }
  }
}

/** There is no room for a bundle beside those that are there. */
export class FoldersFull extends Error {}

function checked(bundle) {
  const { entry, files } = bundle ?? {};
  if (typeof entry !== 'string' || !Array.isArray(files)) throw invalid('it needs "entry" and "files"');
  for (const file of files) {
    if (typeof file?.path !== 'string' || typeof file.data !== 'string') throw invalid('a file needs "path" and "data"');
    if (!isOrdinary(file.path)) throw invalid(`${JSON.stringify(file.path.slice(0, 100))} is not a relative path`);
  }
  if (!files.some((file) => file.path === entry)) throw invalid('its entry is not among its files');
  return files;
}

/** The daemon has checked names already; this is the second pair of eyes. */
function isOrdinary(path) {
  if (path.length === 0 || path.length > PATH_MOST || /[\0-\x1f\\]/.test(path)) return false;
  return path.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
}

function invalid(why) {
  return new HttpError(422, 'invalid', `"bundle" cannot be used: ${why}.`);
}

function digest(text) {
  return process.getBuiltinModule('node:crypto').createHash('sha256').update(text).digest('hex');
}
