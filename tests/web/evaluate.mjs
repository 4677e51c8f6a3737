// Evaluates expressions with a module of the page, as `m`: expressions on stdin, their values on stdout, both as a JSON list.
//
//   node evaluate.mjs WEB MODULE
import { createRequire } from "node:module";
import { text } from "node:stream/consumers";
import { pathToFileURL } from "node:url";

const [web, module] = process.argv.slice(2);
const { rolldown } = await import(pathToFileURL(createRequire(`${web}/package.json`).resolve("rolldown")));
const bundle = await rolldown({ input: `${web}/src/${module}`, platform: "node" });
const { output } = await bundle.generate({ format: "esm" });
const m = await import(`data:text/javascript,${encodeURIComponent(output[0].code)}`);
const expressions = JSON.parse(await text(process.stdin));
// An expression sees `m` and nothing else of this file.
const values = expressions.map((expression) => new Function("m", `return (${expression});`)(m) ?? null);
process.stdout.write(JSON.stringify(values));
