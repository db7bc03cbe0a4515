// Reads what a generating plugin gives: each yield is an emit, its return value is the output.
import { types } from 'node:util';

const { isGeneratorObject, isProxy } = types;

/** Whether a result is a generator, sync or async, also an async one that a compiler wrote in older JavaScript. */
export function isGenerator(result) {
  if (result === null || typeof result !== 'object' || isProxy(result)) return false;
  if (isGeneratorObject(result)) return true;
  return typeof result[Symbol.asyncIterator] === 'function' && typeof result.next === 'function';
}

/** What a generator returns in the end; of an async one a promise of it. */
export function read(generator, emit) {
  if (typeof generator[Symbol.asyncIterator] === 'function') return readLater(generator, emit);
  for (;;) {
    const { value, done } = generator.next();
    if (done) return value;
    emitFrom(generator, emit, value);
  }
}

async function readLater(generator, emit) {
  for (;;) {
    const { value, done } = await generator.next();
    if (done) return value;
    emitFrom(generator, emit, value);
  }
}

/** A value that is refused ends the generator: what it holds is let go of. */
function emitFrom(generator, emit, value) {
  try {
    emit(value);
  } catch (error) {
    Promise.resolve(generator.return?.()).catch(() => {});
    throw error;
  }
}
