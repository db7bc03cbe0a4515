import { Lexer, marked } from "marked";

/** Renders `input.markdown`; answers the HTML and the document's outline. */
export default function renderMarkdown(input, context) {
  const tokens = new Lexer().lex(input.markdown);
  const outline = tokens
    .filter((token) => token.type === "heading")
    .map((token) => ({ depth: token.depth, text: token.text }));
  console.log(`rendering ${input.markdown.length} characters, ${outline.length} headings`);
  return { html: marked.parse(input.markdown), outline };
}
