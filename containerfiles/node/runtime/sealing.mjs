// Secrets that travel sealed: descriptors belong to the process, and a plugin that guesses the number of the daemon's
// connection can read from it. The key comes once, before any plugin is here, and never leaves the main thread's heap.
import { HttpError } from './http-error.mjs';

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

export class Sealing {
  #key = null;

  /** Takes the key; the first one stays. Throws an HttpError. */
  take(text) {
    const key = typeof text === 'string' ? Buffer.from(text, 'base64') : Buffer.alloc(0);
    if (key.length !== KEY_BYTES) throw new HttpError(422, 'invalid', `"key" must be ${KEY_BYTES} bytes in base64.`);
    if (this.#key !== null) throw new HttpError(409, 'key_is_set', 'This runtime has its key already.');
    this.#key = key;
  }

  /** The text that was sealed for this version of a plugin. Throws an HttpError, which says nothing of the text. */
  opened(text, slug, version) {
    if (typeof text !== 'string') throw new HttpError(422, 'invalid', '"sealed" must be a string.');
    if (this.#key === null) throw new HttpError(409, 'no_key', 'This runtime has no key for what is sealed.');
    // Loaded by those who have secrets only: it takes milliseconds.
    const { createDecipheriv } = process.getBuiltinModule('node:crypto');
    const sealed = Buffer.from(text, 'base64');
    try {
      const decipher = createDecipheriv('aes-256-gcm', this.#key, sealed.subarray(0, NONCE_BYTES), {
        authTagLength: TAG_BYTES,
      });
      decipher.setAAD(Buffer.from(`${slug}\n${version}`));
      decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
      const plain = decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES));
      return Buffer.concat([plain, decipher.final()]).toString();
    } catch {
      throw new HttpError(409, 'not_sealed_for_this', 'What is sealed does not open here.');
    }
  }
}
