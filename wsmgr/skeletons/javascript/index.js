/** @type {import('./wsmgr').Plugin<{ name?: string }>} */
module.exports = function (input, context) {
  const name = input?.name ?? 'world';
  console.log('greeting %s', name);
  return { greeting: `Hello, ${name}!`, executionId: context.executionId };
};
