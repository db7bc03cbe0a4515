// HTTP on node:http: reads bodies with a cap, checks the token, answers JSON with a content-length. The only client
// is the daemon, which keeps a few connections open for as long as the workspace lives.
import { HttpError } from './http-error.mjs';

// Not `import`: that reads every export, and one of http's loads all of fetch and WebSocket, 40 ms of start-up.
const http = process.getBuiltinModule('node:http');

const KEEP_ALIVE_MS = 3600_000;
const HEADERS_MS = 10_000;
const REQUEST_MS = 60_000;

/** Makes the server. `routes(method, url)` gives a handler `(request, reply, body)` or throws an HttpError. */
export async function createServer(settings, routes) {
  const authorized = await tokenCheck(settings.token);
  const options = {
    keepAlive: true,
    keepAliveTimeout: KEEP_ALIVE_MS,
    headersTimeout: HEADERS_MS,
    requestTimeout: REQUEST_MS,
    connectionsCheckingInterval: 5000,
    maxHeaderSize: 8192,
  };
  const server = http.createServer(options, (request, response) => {
    const reply = new Reply(response);
    try {
      if (!authorized(request.headers.authorization)) {
        throw new HttpError(401, 'unauthorized', 'Send the token of this workspace as "Authorization: Bearer ...".');
      }
      dispatch(request, reply, routes(request.method, request.url), settings.inputBytes);
    } catch (error) {
      reply.fail(error);
    }
  });
  server.on('clientError', refuseGarbage);
  return server;
}

/** The answer to one request; it is given once, and a vanished client is not an error. */
class Reply {
  constructor(response) {
    this.response = response;
  }

  json(status, text) {
    const response = this.response;
    if (response.headersSent || response.destroyed) return;
    response.sendDate = false;
    response.writeHead(status, ['Content-Type', 'application/json', 'Content-Length', Buffer.byteLength(text)]);
    response.end(text);
  }

  /** Answers an HttpError as it is. Anything else is a mistake of ours: it must surface, not be hidden in a 500. */
  fail(error) {
    if (!(error instanceof HttpError)) throw error;
    this.json(error.status, error.body);
  }
}

function dispatch(request, reply, handler, cap) {
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > cap) throw tooLarge(cap);
  readBody(request, cap, (error, body) => {
    if (error) reply.fail(error);
    else run(handler, request, reply, body);
  });
}

function run(handler, request, reply, body) {
  try {
    const pending = handler(request, reply, body);
    if (pending !== undefined) pending.catch((error) => reply.fail(error));
  } catch (error) {
    reply.fail(error);
  }
}

/**
 * Collects the body as text; what is over the cap is read and dropped, so the client can finish and see the 413. A body
 * cut short never reaches `done`: its connection is gone.
 */
function readBody(request, cap, done) {
  let first = null;
  let more = null;
  let size = 0;
  request.on('data', (chunk) => {
    size += chunk.length;
    if (size > cap) {
      request.removeAllListeners('data');
      request.removeAllListeners('end');
      request.resume();
      done(tooLarge(cap));
    } else if (first === null) first = chunk;
    else (more ??= [first]).push(chunk);
  });
  request.on('end', () => {
    const whole = more === null ? first : Buffer.concat(more, size);
    done(null, whole === null ? '' : whole.utf8Slice(0, size));
  });
  request.on('error', () => {}); // cut short: the socket's close event cancels what it had started
}

function tooLarge(cap) {
  return new HttpError(413, 'too_large', `The request body may have at most ${cap} bytes.`);
}

/** What is not HTTP gets a 400 where the socket still takes one, and the connection ends. */
function refuseGarbage(error, socket) {
  if (socket.writable && error.code !== 'ECONNRESET') {
    const text = JSON.stringify({ error: { type: 'bad_request', message: 'This is not a valid HTTP/1.1 request.' } });
    const head = 'HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: application/json\r\n';
    socket.end(`${head}Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
  }
  socket.destroySoon?.();
}

/** A check of the Authorization header whose time does not depend on how much of the token is right. */
async function tokenCheck(token) {
  if (token === null) return () => true;
  const { createHash, timingSafeEqual } = await import('node:crypto');
  const digest = (text) => createHash('sha256').update(text).digest();
  const expected = digest(`Bearer ${token}`);
  return (header) => timingSafeEqual(digest(header ?? ''), expected);
}
