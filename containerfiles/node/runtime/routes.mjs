// What each method and path does. Handlers check their input, ask the plugins or the pool, and put the answer in words.
import { Execution } from './execution.mjs';
import { HttpError } from './http-error.mjs';
import { LoadFailure } from './outcomes.mjs';
import { Sealing } from './sealing.mjs';

const SLUG = /^[a-z0-9][a-z0-9-]{0,63}$/;
const VERSION_MOST = 256;

/** Returns `(method, url) → handler`; an unknown path or method is an HttpError. */
export function createRoutes(settings, plugins, pool) {
  const execute = executeRoute(settings, plugins, pool);
  const sealing = new Sealing();
  const exact = {
    '/execute': { POST: execute },
    '/health': { GET: healthRoute(plugins, pool) },
    '/cancel': { POST: cancelRoute(pool) },
    '/reload': { POST: reloadRoute(plugins) },
    '/drain': { POST: drainRoute(pool) },
    '/key': { PUT: keyRoute(sealing) },
  };
  const onePlugin = { PUT: putRoute(plugins, sealing), DELETE: deleteRoute(plugins) };
  return (method, url) => {
    if (url === '/execute' && method === 'POST') return execute;
    const methods = Object.hasOwn(exact, url) ? exact[url] : url.startsWith('/plugins/') ? onePlugin : undefined;
    if (methods === undefined) throw new HttpError(404, 'not_found', `There is nothing at ${url.slice(0, 200)}.`);
    if (!Object.hasOwn(methods, method)) {
      const allowed = Object.keys(methods).join(', ');
      throw new HttpError(405, 'method_not_allowed', `${url.slice(0, 200)} answers to ${allowed}.`);
    }
    return methods[method];
  };
}

function healthRoute(plugins, pool) {
  return (_request, reply) => {
    const { inflight, queued, threads, stuck, executions, draining } = pool;
    reply.json(200, JSON.stringify({
      status: draining ? 'draining' : 'healthy',
      uptime: process.uptime(),
      runtime: 'node',
      runtimeVersion: process.version,
      inflight, executions, queued, threads, stuck,
      plugins: plugins.versions(),
    }));
  };
}

function executeRoute(settings, plugins, pool) {
  return (request, reply, body) => {
    if (pool.draining) throw new HttpError(503, 'draining', 'This runtime is draining and takes no new executions.');
    const asked = parseObject(body);
    const plugin = plugins.current(asked.plugin);
    if (plugin === undefined || (asked.version != null && asked.version !== plugin.version)) {
      throw unknownVersion(asked, plugin);
    }
    const execution = new Execution(asked, body, plugin, settings, reply);
    if (!pool.submit(execution)) {
      throw new HttpError(400, 'duplicate_execution', `Execution ${execution.id} is already under way.`);
    }
    cancelWhenClosed(request.socket, execution, pool);
  };
}

function unknownVersion(asked, plugin) {
  if (typeof asked.plugin !== 'string') return new HttpError(400, 'bad_request', '"plugin" must be a slug.');
  const has = plugin === undefined ? 'no version' : `version ${plugin.version}`;
  const wanted = asked.version == null ? '' : ` and not ${String(asked.version).slice(0, VERSION_MOST)}`;
  const message = `This runtime has ${has} of ${asked.plugin.slice(0, 64)}${wanted}: PUT it, then call again.`;
  return new HttpError(409, 'unknown_version', message);
}

/** One close listener per connection, not per call: it cancels whatever that connection still waits for. */
function cancelWhenClosed(socket, execution, pool) {
  if (socket.wsmgrWaiting === undefined) {
    socket.wsmgrWaiting = new Set();
    socket.on('close', () => {
      for (const waiting of socket.wsmgrWaiting) pool.cancel(waiting.id);
    });
  }
  if (socket.destroyed) pool.cancel(execution.id);
  socket.wsmgrWaiting.add(execution);
  execution.forget = () => socket.wsmgrWaiting.delete(execution);
}

function cancelRoute(pool) {
  return (_request, reply, body) => {
    const { executionId } = parseObject(body);
    if (typeof executionId !== 'string') throw new HttpError(400, 'bad_request', '"executionId" must be a string.');
    reply.json(200, JSON.stringify({ cancelled: pool.cancel(executionId) }));
  };
}

function keyRoute(sealing) {
  return (_request, reply, body) => {
    sealing.take(parseObject(body).key);
    reply.json(200, '{"sealed":true}');
  };
}

function putRoute(plugins, sealing) {
  return async (request, reply, body) => {
    const slug = slugOf(request.url);
    const asked = parseObject(body);
    if (asked.language !== 'javascript') {
      throw new HttpError(422, 'unsupported_language', 'This runtime runs "language": "javascript" only.');
    }
    const content = asked.bundle === undefined ? 'code' : 'version';
    for (const field of ['version', content]) {
      if (typeof asked[field] !== 'string') throw new HttpError(422, 'invalid', `"${field}" must be a string.`);
    }
    if (asked.version.length < 1 || asked.version.length > VERSION_MOST) {
      throw new HttpError(422, 'invalid', `"version" must have 1 to ${VERSION_MOST} characters.`);
    }
    if (asked.sealed != null) asked.secrets = parseObject(sealing.opened(asked.sealed, slug, asked.version));
    await answerLoad(reply, plugins.put(slug, asked.version, asked, settingsIn(asked)));
  };
}

/** Neither name nor value of a secret is ever part of a message. */
function settingsIn({ config, secrets }) {
  if (config != null && !isObject(config)) throw new HttpError(422, 'invalid', '"config" must be an object.');
  if (secrets != null && !(isObject(secrets) && Object.values(secrets).every((value) => typeof value === 'string'))) {
    throw new HttpError(422, 'invalid', '"secrets" must be an object whose values are strings.');
  }
  return { config: config ?? {}, secrets: secrets ?? {} };
}

function reloadRoute(plugins) {
  return async (_request, reply, body) => {
    const { pluginSlug } = parseObject(body);
    if (typeof pluginSlug !== 'string') throw new HttpError(400, 'bad_request', '"pluginSlug" must be a string.');
    await answerLoad(reply, plugins.reload(pluginSlug));
  };
}

async function answerLoad(reply, loading) {
  try {
    const loaded = await loading;
    if (loaded === undefined) throw new HttpError(404, 'unknown_plugin', 'There is no plugin of that name here.');
    const { plugin, loadMs } = loaded;
    reply.json(200, JSON.stringify({ slug: plugin.slug, version: plugin.version, loadMs }));
  } catch (error) {
    if (!(error instanceof LoadFailure)) throw error;
    throw new HttpError(422, 'LoadError', error.message, error.details);
  }
}

function deleteRoute(plugins) {
  return async (request, reply) => {
    const deleted = await plugins.remove(slugOf(request.url));
    reply.json(200, JSON.stringify({ deleted }));
  };
}

function drainRoute(pool) {
  return async (_request, reply) => {
    await pool.drain();
    reply.json(200, '{"drained":true}');
  };
}

function slugOf(url) {
  const slug = url.slice('/plugins/'.length);
  if (!SLUG.test(slug)) throw new HttpError(422, 'invalid_slug', `A plugin's slug matches ${SLUG.source}.`);
  return slug;
}

function parseObject(body) {
  let value;
  try {
    value = JSON.parse(body);
  } catch {
    throw new HttpError(400, 'bad_request', 'The body is not JSON.');
  }
  if (!isObject(value)) throw new HttpError(400, 'bad_request', 'The body must be a JSON object.');
  return value;
}

function isObject(value) {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}
