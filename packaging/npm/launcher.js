// Starts the program of the package for this machine, by the name that was typed, and ends as it ends.
"use strict";

const { spawn } = require("node:child_process");
const { constants } = require("node:os");
const path = require("node:path");

module.exports = function start(name) {
  const part = `footbridge-${process.platform}-${process.arch}`;
  let program;
  try {
    const folder = path.dirname(require.resolve(`${part}/package.json`));
    program = path.join(folder, process.platform === "win32" ? "footbridge.exe" : "footbridge");
  } catch {
    console.error(
      `footbridge: there is no program for ${process.platform} on ${process.arch} here: the package ${part} is not installed. ` +
        "If npm was told to leave optional packages out, install without that; else build it from its sources.",
    );
    process.exit(1);
  }
  const child = spawn(program, process.argv.slice(2), { stdio: "inherit", argv0: name });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(signal, () => child.kill(signal));
  }
  child.on("error", (error) => {
    console.error(`footbridge: ${program} does not start: ${error.message}`);
    process.exit(1);
  });
  child.on("exit", (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
};
