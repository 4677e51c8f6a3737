// Drives one page of Chromium: one command a line on stdin, one answer a line on stdout, both JSON.
//
//   node driver.mjs EXECUTABLE [FLAG...]
//
// Commands, by their first key:
//   {"open": URL}                            its status
//   {"evaluate": SOURCE, "argument": VALUE}  SOURCE is a function of the argument, run in the page; a promise is awaited
//   {"click": SELECTOR}, {"fill": SELECTOR, "text": TEXT}, {"choose": SELECTOR, "value": VALUE}, {"files": SELECTOR, "paths": [PATH]}
//   {"wait": SELECTOR, "state": STATE}       until it is visible, or whatever STATE of Playwright
//   {"keys": [KEY]}, {"type": TEXT}          the keyboard alone, at whatever has the focus
//   {"emulate": OPTIONS, "size": [W, H]}     of Playwright's emulateMedia; the size of the window
//   {"offline": BOOLEAN}, {"screenshot": FILE, "full": BOOLEAN}
//   {"requests": true}                       all URLs that were requested so far
//   {"axe": SELECTOR}                        what axe finds wrong below it
// SELECTOR is Playwright's, as `role=button[name="Save"]`. Answers: {"result": VALUE} or {"error": TEXT}. What the page writes to its console goes to
// stderr.
import { createInterface } from "node:readline";
import axe from "axe-core";
import { chromium } from "playwright-core";

const [executablePath, ...args] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath, args, headless: true });
const context = await browser.newContext();
const page = await context.newPage();
// What is awaited here has its deadline in the test.
page.setDefaultTimeout(0);
const requested = [];
page.on("request", (request) => requested.push(request.url()));
page.on("console", (message) => console.error(`[${message.type()}] ${message.text()}`));
page.on("pageerror", (error) => console.error(`[uncaught] ${error.stack ?? error}`));
page.on("crash", () => console.error("[crash] the page crashed"));

async function carryOut(command) {
  if ("open" in command) {
    const answer = await page.goto(command.open);
    return answer.status();
  }
  if ("reload" in command) return void (await page.reload());
  if ("screenshot" in command)
    return void (await page.screenshot({ path: command.screenshot, fullPage: command.full ?? false }));
  if ("click" in command) return page.locator(command.click).click();
  if ("fill" in command) return page.locator(command.fill).fill(command.text);
  if ("choose" in command) return void (await page.locator(command.choose).selectOption(command.value));
  if ("files" in command) return page.locator(command.files).setInputFiles(command.paths);
  if ("wait" in command) return page.locator(command.wait).first().waitFor({ state: command.state ?? "visible" });
  if ("keys" in command) {
    for (const key of command.keys) await page.keyboard.press(key);
    return null;
  }
  if ("type" in command) return page.keyboard.type(command.type);
  if ("emulate" in command) {
    await page.emulateMedia(command.emulate);
    if (command.size) await page.setViewportSize({ width: command.size[0], height: command.size[1] });
    return null;
  }
  if ("requests" in command) return requested;
  if ("axe" in command) {
    // Not as a script of the page: its policy allows none but its own.
    await page.evaluate(axe.source);
    const found = await page.evaluate((selector) => globalThis.axe.run(selector), command.axe);
    return found.violations.map(({ id, help, nodes }) => ({ id, help, nodes: nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`) }));
  }
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
