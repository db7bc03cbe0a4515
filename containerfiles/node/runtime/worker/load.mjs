// Turns a plugin's source into the function to call. The source stays in memory; its file name is a virtual URL.
// CommonJS or ES module is decided by Node's own parser: what does not compile as the one is tried as the other.
import { createRequire, isBuiltin, registerHooks } from 'node:module';
import { pathToFileURL } from 'node:url';
import vm from 'node:vm';
import { placeOfModuleError } from './position.mjs';

const CJS_NAMES = ['exports', 'require', 'module', '__filename', '__dirname'];
const HOW_TO_EXPORT =
  'The plugin exports no function: write "export default function (input, context) { … }", ' +
  '"export function execute(input, context) { … }" or "module.exports = function (input, context) { … }".';

class PluginShapeError extends Error {
  name = 'PluginShapeError';
}

/** Resolves to the plugin's function, or rejects with what went wrong. */
export async function loadPlugin(file, code) {
  const source = plain(code);
  serveFromMemory(file, source);
  let compiled;
  try {
    compiled = vm.compileFunction(source, CJS_NAMES, {
      filename: file,
      importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
    });
  } catch (error) {
    if (error?.name !== 'SyntaxError') throw error;
    return pick(await importModule(file, source, error));
  }
  return pick(runCommonJs(compiled, file));
}

/** A bundle's files lie in a folder: Node's own rules find, resolve and tell apart what is CommonJS and what is not. */
export async function loadBundle({ dir, entry }) {
  return pick(await import(pathToFileURL(`${dir}/${entry}`)));
}

function plain(code) {
  const source = code.charCodeAt(0) === 0xfeff ? code.slice(1) : code;
  return source.startsWith('#!') ? `//${source.slice(2)}` : source;
}

async function importModule(file, source, commonJsError) {
  try {
    return await import(file);
  } catch (error) {
    if (error?.name !== 'SyntaxError' || error.stack.startsWith(file)) throw error;
    // Neither parses. Without a sign of module syntax the CommonJS error is the one that means something to its author.
    if (!isAboutModules(commonJsError.message)) throw commonJsError;
    error.place = placeOfModuleError(file, source, error.message);
    throw error;
  }
}

function isAboutModules(message) {
  return /import statement|'export'|import\.meta|'import'|await is only valid/.test(message);
}

function runCommonJs(compiled, file) {
  const require = pluginRequire();
  const module = { id: file, filename: file, loaded: false, exports: {}, children: [], paths: [], require };
  Reflect.apply(compiled, module.exports, [module.exports, require, module, file, '/plugin']);
  module.loaded = true;
  return module.exports;
}

/** A plugin is one file: it can require what Node has built in, and files by absolute path. */
function pluginRequire() {
  const inner = createRequire('/plugin/index.js');
  const require = (name) => {
    if (typeof name === 'string' && !isReachable(name)) throw unreachable(name);
    return inner(name);
  };
  return Object.assign(require, { resolve: inner.resolve, cache: inner.cache, main: undefined });
}

function isReachable(name) {
  return isBuiltin(name) || name.startsWith('/') || name.startsWith('file:') || name.startsWith('data:');
}

function unreachable(name) {
  const shown = name.slice(0, 100);
  const message = `Cannot find module '${shown}': a plugin is a single file, so bundle '${shown}' into it. ` +
    "Only Node's own modules (fs, path, crypto, …) can be imported.";
  return Object.assign(new Error(message), { code: 'MODULE_NOT_FOUND' });
}

/** Module hooks: the plugin's URL gives its source; its imports reach built-in modules and absolute paths. */
function serveFromMemory(file, source) {
  registerHooks({
    resolve(specifier, context, next) {
      if (specifier === file) return { url: file, format: 'module', shortCircuit: true };
      const fromPlugin = context.parentURL === undefined || context.parentURL.startsWith('plugin:');
      if (fromPlugin && !isReachable(specifier)) throw unreachable(specifier);
      return next(specifier, fromPlugin ? { ...context, parentURL: 'file:///plugin/index.js' } : context);
    },
    load(url, context, next) {
      return url === file ? { format: 'module', source, shortCircuit: true } : next(url, context);
    },
  });
}

/** Finds the function in what the plugin exports, whichever way it was written or bundled. */
function pick(exported) {
  const seen = [exported, exported?.default, exported?.execute, exported?.default?.execute, exported?.default?.default];
  const found = seen.find((candidate) => typeof candidate === 'function');
  if (found === undefined) throw new PluginShapeError(HOW_TO_EXPORT);
  return found;
}
