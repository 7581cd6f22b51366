"""A backend as the program's tests know it, which keeps state: started from its test binary, until it is left."""

import json
import pathlib
import re
import subprocess
import threading

ROOT = pathlib.Path(__file__).resolve().parent.parent
# The same as in the gate, so that what its step `test` built is found.
FEATURES = ["--workspace", "--features", "footbridge-mcp/discovery,footbridge-mcp/skills"]


class StandIn:
    """A running one; `settings` are the variables that lead to it."""

    def __init__(self, name):
        words = ["cargo", "test", "--locked", "-q", *FEATURES, "--test", name, "--", "--ignored", "--exact", "--nocapture", f"outside::a_{name}_is_served_outside"]
        self.process = subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        errors = []
        threading.Thread(target=lambda: errors.extend(self.process.stderr), daemon=True).start()
        self.settings = None
        for line in self.process.stdout:
            if found := re.search(r"\{.*\}", line):
                self.settings = json.loads(found.group())
                break
        if self.settings is None:
            self.process.wait()
            raise RuntimeError(f"the stand-in of {name} did not say where it is:\n" + "".join(errors[-30:]))
        # what it says at its end
        threading.Thread(target=self.process.stdout.read, daemon=True).start()

    def environment_file(self, folder):
        """A file of the variables: clients hand none on to the servers that they start."""
        file = pathlib.Path(folder) / "stand-in.env"
        file.write_text("".join(f"{name}='{value}'\n" for name, value in self.settings.items()))
        return str(file)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()
