// Puts anything that can be thrown into plain, short strings. A thrown value may be hostile: getters that throw,
// Proxies, overridden toString; nothing here may throw because of it.
import { inspect, types } from 'node:util';

const MESSAGE_MOST = 4096;
const STACK_MOST = 4096;
const PREVIEW_MOST = 500;
const { isNativeError, isProxy } = types;
const { isError } = Error;
const toText = String;
const stringify = JSON.stringify;

/** `{type, name, message, stack}` of what an execution threw. */
export function describeThrown(thrown, file) {
  try {
    if (looksLikeError(thrown)) return describeError(thrown, file);
    return { type: 'Exception', name: 'NonError', message: `The plugin threw ${preview(thrown)} instead of an Error.` };
  } catch {
    return { type: 'Exception', name: 'NonError', message: 'The plugin threw a value that cannot be looked at.' };
  }
}

/** The same for a plugin that did not load, with the place in its source where that is known. */
export function describeLoad(thrown, file, code) {
  const { message, stack = '', name } = describeThrown(thrown, file);
  const place = placeIn(field(thrown, 'stack'), file) ?? (name === 'SyntaxError' ? thrown.place : undefined);
  const sentence = name === 'PluginShapeError' ? message.slice('PluginShapeError: '.length) : message;
  return { message: sentence, stack, ...(place && withinCode(place, code)) };
}

function looksLikeError(thrown) {
  if (thrown === null || typeof thrown !== 'object' || isProxy(thrown)) return false;
  return isNativeError(thrown) || isError?.(thrown) || thrown instanceof Error;
}

function describeError(error, file) {
  const name = text(field(error, 'name'), 'Error').slice(0, 100);
  const detail = text(field(error, 'message'), '').slice(0, MESSAGE_MOST);
  const message = detail === '' ? name : `${name}: ${detail}`;
  return { type: 'Exception', name, message, stack: pluginFrames(field(error, 'stack'), message, file) };
}

/** A property of a value that may refuse to be read. */
function field(value, key) {
  try {
    return value[key];
  } catch {
    return undefined;
  }
}

function text(value, fallback) {
  return typeof value === 'string' && value !== '' ? value : fallback;
}

/** The headline, then only the frames in the plugin: what is around them is the runtime's. */
function pluginFrames(stack, message, file) {
  if (typeof stack !== 'string') return message;
  const frames = stack.slice(0, 65536).split('\n').filter((line) => /^\s+at /.test(line) && line.includes(file));
  return [message.slice(0, STACK_MOST / 2), ...frames].join('\n').slice(0, STACK_MOST);
}

function preview(value) {
  if (typeof value === 'string') return `the string ${stringify(value.slice(0, PREVIEW_MOST))}`;
  if (value === null || typeof value !== 'object') return toText(value).slice(0, PREVIEW_MOST);
  if (isProxy(value)) return 'a Proxy';
  const how = { depth: 1, customInspect: false, getters: false, breakLength: Infinity, maxStringLength: 200 };
  const shown = inspect(value, how);
  return shown.slice(0, PREVIEW_MOST);
}

/** The first place in the plugin that a stack names, as `{line, column?}`; a syntax error marks its column with ^. */
function placeIn(stack, file) {
  if (typeof stack !== 'string') return undefined;
  const at = stack.indexOf(`${file}:`);
  if (at < 0) return undefined;
  const [, line, column] = /^:(\d+)(?::(\d+))?/.exec(stack.slice(at + file.length)) ?? [];
  if (line === undefined) return undefined;
  const caret = stack.slice(at).split('\n', 3)[2]?.indexOf('^') ?? -1;
  if (column !== undefined) return { line: Number(line), column: Number(column) };
  return caret < 0 ? { line: Number(line) } : { line: Number(line), column: caret + 1 };
}

function withinCode(place, code) {
  return place.line <= code.split('\n').length ? place : undefined;
}
