// How an execution can end badly, in the words that people read. Types are a contract; messages are sentences.

const MESSAGE_MOST = 4096;
const STACK_MOST = 4096;
const NAME_MOST = 128;
const FILE_MOST = 512;

/** A plugin version that did not load. `details` go into the answer beside the message: stack, line, column. */
export class LoadFailure extends Error {
  constructor(message, details = {}) {
    super(message);
    this.details = details;
  }
}

export const timeout = (ms) => ({
  type: 'Timeout',
  message: `The plugin did not finish within its ${ms} ms and was stopped.`,
});

export const outOfMemory = () => ({
  type: 'OutOfMemory',
  message: 'The plugin used more memory than its workspace may have and was stopped.',
});

export const cancelled = () => ({ type: 'Cancelled', message: 'The execution was cancelled by its caller.' });

export const exited = (code) => ({
  type: 'Exit',
  message: `The plugin called process.exit(${code}) instead of returning; return a value or throw an error.`,
});

export const crashed = (why) => ({ type: 'Crash', message: `The plugin's thread ended unexpectedly: ${why}` });

/** What the thread told of an error, copied field by field: nothing that came from plugin code is trusted. */
export function reported(value) {
  const type = ['Exception', 'OutputTooLarge', 'OutputInvalid'].includes(value?.type) ? value.type : 'Exception';
  const error = { type, message: text(value?.message, MESSAGE_MOST) ?? 'The plugin failed and did not say why.' };
  const name = text(value?.name, NAME_MOST);
  const stack = text(value?.stack, STACK_MOST);
  if (name !== undefined) error.name = name;
  if (stack !== undefined) error.stack = stack;
  return error;
}

/** The same for a version that did not load. */
export function loadFailure(value) {
  const details = { stack: text(value?.stack, STACK_MOST) ?? '' };
  for (const field of ['line', 'column']) {
    if (Number.isSafeInteger(value?.[field]) && value[field] > 0) details[field] = value[field];
  }
  if (typeof value?.file === 'string') details.file = value.file.slice(0, FILE_MOST);
  return new LoadFailure(text(value?.message, MESSAGE_MOST) ?? 'The plugin did not load.', details);
}

function text(value, most) {
  return typeof value === 'string' ? value.slice(0, most) : undefined;
}
