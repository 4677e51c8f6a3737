// Drives one page of Chromium: one command a line on stdin, one answer a line on stdout, both JSON.
//
//   node driver.mjs EXECUTABLE [FLAG...]
//
// Commands: {"open": URL}, {"evaluate": SOURCE, "argument": VALUE}, {"offline": BOOLEAN}, {"screenshot": FILE}. SOURCE is a function of the
// argument, run in the page; a promise is awaited. Answers: {"result": VALUE} or {"error": TEXT}. What the page writes to its console goes to stderr.
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const [executablePath, ...args] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath, args, headless: true });
const context = await browser.newContext();
const page = await context.newPage();
// What is awaited here has its deadline in the test.
page.setDefaultTimeout(0);
page.on("console", (message) => console.error(`[${message.type()}] ${message.text()}`));
page.on("pageerror", (error) => console.error(`[uncaught] ${error.stack ?? error}`));
page.on("crash", () => console.error("[crash] the page crashed"));

async function carryOut(command) {
  if ("open" in command) {
    const answer = await page.goto(command.open);
    return answer.status();
  }
  if ("screenshot" in command) return void (await page.screenshot({ path: command.screenshot }));
  if ("offline" in command) return context.setOffline(command.offline);
  // The page calls the function itself, so that an error keeps its text.
  return page.evaluate(`(${command.evaluate})(${JSON.stringify(command.argument ?? null)})`);
}

for await (const line of createInterface({ input: process.stdin })) {
  let answer;
  try {
    answer = { result: (await carryOut(JSON.parse(line))) ?? null };
  } catch (error) {
    answer = { error: String(error.message ?? error) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
await browser.close();
