const { parseDocument } = require("yaml");

/** Sets each of `input.changes` in `input.yaml`; answers the text, comments kept, and its values. */
module.exports = async function change(input, context) {
  const document = parseDocument(input.yaml);
  if (document.errors.length > 0) throw document.errors[0];
  for (const { path, value } of input.changes) document.setIn(path, value);
  console.log(`${input.changes.length} changes`);
  return { yaml: document.toString(), values: document.toJS() };
};
