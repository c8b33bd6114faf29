// What runs in a process of its own: a script in JavaScript, once for each item that comes in as a line of JSON.
// It answers as child.py does.
"use strict";

const LEVELS = { trace: "TRACE", debug: "DEBUG", info: "INFO", warn: "WARN", warning: "WARN", error: "ERROR" };

function filled(message, values) {
  return values.reduce((text, value) => text.replace("{}", () => shown(value)), String(message));
}

function shown(value) {
  return typeof value === "object" && value !== null ? JSON.stringify(value) : String(value);
}

function loggerTo(lines) {
  const methods = Object.entries(LEVELS).map(([name, level]) => [
    name,
    (message, ...values) => lines.push([level, filled(message, values)]),
  ]);
  return Object.fromEntries(methods);
}

function answer(script, item) {
  const logs = [];
  try {
    const found = script(item, null, loggerTo(logs));
    if (!Array.isArray(found)) throw new Error("the script has returned before its end");
    const [row, rows] = found;
    return { rows: rows ?? (row === null || row === undefined ? [] : [row]), logs };
  } catch (error) {
    return { error: String(error), logs };
  }
}

async function main() {
  console.log = console.info = console.debug = console.error; // what the script prints is no answer
  const lines = require("node:readline").createInterface({ input: process.stdin });
  let script = null;
  for await (const line of lines) {
    if (script === null) script = new Function("row", "rows", "logger", `${JSON.parse(line)}\n;return [row, rows];`);
    else process.stdout.write(`${JSON.stringify(answer(script, JSON.parse(line)))}\n`);
  }
}

main().catch((error) => {
  console.error(String(error));
  process.exit(1);
});
