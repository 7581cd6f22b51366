// Backends that the program has connectors for, as the tests of the program know them: a stand-in that keeps state, and a program in front of it.
import { spawn } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { Program } from "./program.mjs";

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), "../../..");

export class Backend {
  /** The stand-in of a test binary, until `end`. */
  static async begin(name) {
    const backend = new Backend();
    const words = ["test", "--locked", "-q", "-p", "footbridge", "--test", name, "--", "--ignored", "--exact", "--nocapture", `outside::a_${name}_is_served_outside`];
    backend.process = spawn("cargo", words, { cwd: root, stdio: ["pipe", "pipe", "pipe"] });
    let heard = "";
    backend.settings = await new Promise((resolve, reject) => {
      backend.process.stdout.on("data", (part) => {
        heard += part;
        const found = /\{.*\}/.exec(heard);
        if (found !== null) resolve(JSON.parse(found[0]));
      });
      backend.process.stderr.on("data", (part) => (heard += part));
      backend.process.on("exit", (code) => reject(new Error(`the stand-in of ${name} ended with ${code}: ${heard}`)));
    });
    return backend;
  }

  /** The program in front of it. */
  serve(words) {
    return Program.begin({ words, settings: this.settings });
  }

  async end() {
    const ended = new Promise((resolve) => this.process.on("exit", resolve));
    this.process.stdin.end();
    await ended;
  }
}
