// Which version of each plugin is current. Code is kept as text; a version becomes current only once it has loaded.
import { Fifo } from './fifo.mjs';

/** One loaded version of a plugin, and what the pool keeps about it. */
class Plugin {
  retired = false; // no longer current
  idle = []; // warm threads that hold it
  busy = 0; // threads that execute it
  behind = new Fifo(); // calls that wait behind those
  paceMs = 0; // how long its calls take lately
  answeredTick = 0; // when a thread of it last answered

  /** `settings`: `{config, secrets}`, what the plugin is given beside its code. */
  constructor(slug, version, code, settings) {
    this.slug = slug;
    this.version = version;
    this.code = code;
    this.settings = settings;
  }
}

export class Plugins {
  #current = new Map();
  #changing = new Map(); // slug → the last change asked for: changes of one plugin happen one after the other
  #pool;

  constructor(pool) {
    this.#pool = pool;
  }

  current(slug) {
    return this.#current.get(slug);
  }

  versions() {
    return Object.fromEntries(Array.from(this.#current, ([slug, plugin]) => [slug, plugin.version]));
  }

  /** Loads a version and makes it current; rejects with a LoadFailure, and then the old one stays. */
  put(slug, version, code, settings) {
    return this.#inTurn(slug, () => {
      const old = this.#current.get(slug);
      if (old?.version === version) return { plugin: old, loadMs: 0 };
      return this.#replace(new Plugin(slug, version, code, settings));
    });
  }

  /** Loads the stored code once more in a fresh thread; resolves to undefined when there is none. */
  reload(slug) {
    return this.#inTurn(slug, () => {
      const old = this.#current.get(slug);
      return old && this.#replace(new Plugin(slug, old.version, old.code, old.settings));
    });
  }

  remove(slug) {
    return this.#inTurn(slug, () => {
      const old = this.#current.get(slug);
      if (old === undefined) return false;
      this.#current.delete(slug);
      this.#pool.retire(old);
      return true;
    });
  }

  async #replace(plugin) {
    const loadMs = await this.#pool.load(plugin);
    const old = this.#current.get(plugin.slug);
    this.#current.set(plugin.slug, plugin);
    if (old !== undefined) this.#pool.retire(old);
    return { plugin, loadMs };
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
