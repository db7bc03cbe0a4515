// The same answer straight from the package, on the bundling machine, with no plugin and no wsmgr in between.
import { readFileSync } from "node:fs";
import { marked } from "marked";

const { markdown } = JSON.parse(readFileSync(process.argv[2], "utf8"));
const outline = [];
marked.walkTokens(marked.lexer(markdown), (token) => {
  if (token.type === "heading") outline.push({ depth: token.depth, text: token.text });
});
process.stdout.write(JSON.stringify({ html: marked.parse(markdown), outline }));
