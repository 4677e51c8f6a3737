// Draws Mermaid diagrams: reads a JSON list of texts, writes one of SVG drawings. Colours are those of the page around them.
import { readFileSync } from "node:fs";
import { renderMermaidSVG } from "beautiful-mermaid";

const colours = { bg: "var(--md-default-bg-color)", fg: "var(--md-typeset-color)", transparent: true };
const drawn = JSON.parse(readFileSync(0, "utf8")).map((text) =>
  renderMermaidSVG(text, colours)
    // The page's own fonts: none is fetched.
    .replace(/@import url\([^)]*\);/g, "")
    .replace(/'Inter'|'JetBrains Mono'/g, "inherit")
    // No empty lines and no indentation: Markdown would end the drawing there.
    .replace(/^\s+/gm, "")
    .replace(/\n+/g, " "),
);
process.stdout.write(JSON.stringify(drawn));
