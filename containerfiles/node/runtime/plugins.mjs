// Which version of each plugin is current. A version becomes current only once it has loaded; code is kept as text, a
// bundle as a folder.
import { FoldersFull } from './folders.mjs';
import { Fifo } from './fifo.mjs';
import { LoadFailure } from './outcomes.mjs';

/** One loaded version of a plugin, and what the pool keeps about it. */
class Plugin {
  retired = false; // no longer current
  idle = []; // warm threads that hold it
  busy = 0; // threads that execute it
  behind = new Fifo(); // calls that wait behind those
  paceMs = 0; // how long its calls take lately
  answeredTick = 0; // when a thread of it last answered
  #holders = 0; // threads and executions of it
  #gone;

  /** `content` is `{code}` or `{folder}`, and `settings`: `{config, secrets}`, what it is given beside. `gone` resolves once it is retired and nobody holds it. */
  constructor(slug, version, content) {
    this.slug = slug;
    this.version = version;
    this.content = content;
    content.folder?.use();
    this.gone = new Promise((resolve) => (this.#gone = resolve));
  }

  hold() {
    this.#holders++;
  }

  letGo() {
    this.#holders--;
    this.leaveWhenDone();
  }

  leaveWhenDone() {
    if (!this.retired || this.#holders > 0) return;
    this.content.folder?.leave();
    this.#gone();
  }
}

/** A bundle's files, for as long as a version or its reload uses them. */
class Folder {
  #users = 0;
  #folders;

  constructor(folders, { dir, entry }) {
    this.dir = dir;
    this.entry = entry;
    this.#folders = folders;
  }

  use() {
    this.#users++;
  }

  leave() {
    if (--this.#users === 0) this.#folders.remove(this.dir);
  }
}

export class Plugins {
  #current = new Map();
  #changing = new Map(); // slug → the last change asked for: changes of one plugin happen one after the other
  #pool;
  #folders;

  constructor(pool, folders) {
    this.#pool = pool;
    this.#folders = folders;
  }

  current(slug) {
    return this.#current.get(slug);
  }

  versions() {
    return Object.fromEntries(Array.from(this.#current, ([slug, plugin]) => [slug, plugin.version]));
  }

  /** Loads a version and makes it current; rejects with a LoadFailure, and then the old one stays. */
  put(slug, version, { code, bundle }, settings) {
    return this.#inTurn(slug, async () => {
      const old = this.#current.get(slug);
      if (old?.version === version) return { plugin: old, loadMs: 0 };
      const files = bundle === undefined ? { code } : { folder: await this.#unpacked(slug, version, bundle) };
      return this.#replace(slug, version, { ...files, settings });
    });
  }

  /** Loads the stored code once more in a fresh thread; resolves to undefined when there is none. */
  reload(slug) {
    return this.#inTurn(slug, () => {
      const old = this.#current.get(slug);
      return old && this.#replace(slug, old.version, old.content);
    });
  }

  remove(slug) {
    return this.#inTurn(slug, () => this.#forget(this.#current.get(slug)));
  }

  #forget(plugin) {
    if (plugin === undefined) return false;
    this.#current.delete(plugin.slug);
    this.#pool.retire(plugin);
    return true;
  }

  async #replace(slug, version, content) {
    const plugin = new Plugin(slug, version, content);
    let loadMs;
    try {
      loadMs = await this.#pool.load(plugin);
    } catch (error) {
      this.#pool.retire(plugin);
      throw error;
    }
    const old = this.#current.get(slug);
    this.#current.set(slug, plugin);
    if (old !== undefined) this.#pool.retire(old);
    return { plugin, loadMs };
  }

  /** Writes a bundle. Without room for it, plugins that rest make some: their next call brings them back. */
  async #unpacked(slug, version, bundle) {
    for (let evicted = false; ; evicted = true) {
      try {
        return new Folder(this.#folders, await this.#folders.write(slug, version, bundle));
      } catch (error) {
        if (!(error instanceof FoldersFull)) throw error;
        if (evicted || !(await this.#makeRoom(slug))) {
          throw new LoadFailure('There is no room for the files of this bundle beside what runs (pluginSpaceMb).');
        }
      }
    }
  }

  async #makeRoom(slug) {
    const resting = [...this.#current.values()].filter(
      (plugin) => plugin.content.folder !== undefined && plugin.slug !== slug && plugin.busy === 0,
    );
    for (const plugin of resting) this.#forget(plugin);
    await Promise.all(resting.map((plugin) => plugin.gone));
    return resting.length > 0;
  }

  async #inTurn(slug, change) {
    const before = this.#changing.get(slug);
    const mine = (async () => {
      await before?.catch(() => {});
      return change();
    })();
    this.#changing.set(slug, mine);
    try {
      return await mine;
    } finally {
      if (this.#changing.get(slug) === mine) this.#changing.delete(slug);
    }
  }
}
