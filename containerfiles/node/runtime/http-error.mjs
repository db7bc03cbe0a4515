/** An answer that is not a success: status and the `{error:{type,message}}` body. */
export class HttpError extends Error {
  constructor(status, type, message, more) {
    super(message);
    this.status = status;
    this.body = JSON.stringify({ error: { type, message, ...more } });
  }
}
