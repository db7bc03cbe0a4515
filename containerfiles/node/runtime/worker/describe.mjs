// Puts anything that can be thrown into plain, short strings. A thrown value may be hostile: getters that throw,
// Proxies, overridden toString; nothing here may throw because of it.
import { inspect, types } from 'node:util';
import { placeIn } from './scene.mjs';

const MESSAGE_MOST = 4096;
const STACK_MOST = 4096;
const PREVIEW_MOST = 500;
const { isNativeError, isProxy } = types;
const { isError } = Error;
const toText = String;
const stringify = JSON.stringify;

/** `{type, name, message, stack}` of what an execution threw. */
export function describeThrown(thrown, scene) {
  try {
    if (looksLikeError(thrown)) return describeError(thrown, scene);
    return { type: 'Exception', name: 'NonError', message: `The plugin threw ${preview(thrown)} instead of an Error.` };
  } catch {
    return { type: 'Exception', name: 'NonError', message: 'The plugin threw a value that cannot be looked at.' };
  }
}

/** The same for a plugin that did not load, with the place in its source where that is known. */
export function describeLoad(thrown, scene) {
  const { message, stack = '', name } = describeThrown(thrown, scene);
  const place = placeIn(field(thrown, 'stack'), scene) ?? (name === 'SyntaxError' ? thrown.place : undefined);
  const sentence = name === 'PluginShapeError' ? message.slice('PluginShapeError: '.length) : message;
  return { message: sentence, stack, ...place };
}

function looksLikeError(thrown) {
  if (thrown === null || typeof thrown !== 'object' || isProxy(thrown)) return false;
  return isNativeError(thrown) || isError?.(thrown) || thrown instanceof Error;
}

function describeError(error, scene) {
  const name = text(field(error, 'name'), 'Error').slice(0, 100);
  const detail = scene.shown(text(field(error, 'message'), '').slice(0, MESSAGE_MOST));
  const message = detail === '' ? name : `${name}: ${detail}`;
  return { type: 'Exception', name, message, stack: pluginFrames(field(error, 'stack'), message, scene) };
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
function pluginFrames(stack, message, scene) {
  if (typeof stack !== 'string') return message;
  const lines = scene.shown(stack.slice(0, 65536)).split('\n');
  const frames = lines.filter((line) => /^\s+at /.test(line) && line.includes(scene.root));
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
