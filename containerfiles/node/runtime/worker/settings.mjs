// What a plugin is given beside its code, as it sees it: `context.config` and `context.secrets`, both frozen.

const inspect = Symbol.for('nodejs.util.inspect.custom');

/** Freezes a JSON value through and through. */
export function frozen(value) {
  if (value !== null && typeof value === 'object') {
    for (const key of Object.keys(value)) frozen(value[key]);
    Object.freeze(value);
  }
  return value;
}

/**
 * Secrets by name. Printed, or returned as part of an output, they show their names alone: that is against accidents,
 * the plugin may do with each value what it likes.
 */
export function secretsFrom(values) {
  const masked = Object.fromEntries(Object.keys(values).map((name) => [name, '***']));
  const secrets = Object.assign(Object.create(null), values);
  Object.defineProperty(secrets, 'toJSON', { value: () => masked });
  Object.defineProperty(secrets, inspect, { value: () => masked });
  return Object.freeze(secrets);
}
