// A main process for the engine contract: no plugins, only a life. WSMGR_OUTPUT_BYTES says which one.
import http from 'node:http';

const behaviour = process.env.WSMGR_OUTPUT_BYTES;
if (behaviour === '4003') process.exit(3);
console.log('the test runtime started');
process.on('SIGTERM', () => {
  if (behaviour !== '4015') process.exit(0);
});
const handedIn = /^fd:(\d+)$/.exec(process.env.LISTEN);
const at = handedIn ? { fd: Number(handedIn[1]) } : process.env.LISTEN;
http.createServer((_request, response) => response.end('{}')).listen(at);
