// The same answer straight from the package, on this machine, with no plugin and no wsmgr in between.
const { readFileSync } = require("node:fs");
const YAML = require("yaml");

const { yaml, changes } = JSON.parse(readFileSync(process.argv[2], "utf8"));
const document = YAML.parseAllDocuments(yaml)[0];
changes.forEach(({ path, value }) => document.setIn(path, value));
const text = YAML.stringify(document);
process.stdout.write(JSON.stringify({ yaml: text, values: YAML.parse(text) }));
