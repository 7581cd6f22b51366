"""The programs that Footbridge takes the place of, by their names: each starts footbridge under that name."""

import os
import subprocess
import sys
import sysconfig


def _start(name):
    suffix = ".exe" if os.name == "nt" else ""
    program = os.path.join(os.path.dirname(os.path.abspath(sys.argv[0])), "footbridge" + suffix)
    if not os.path.exists(program):
        program = os.path.join(sysconfig.get_path("scripts"), "footbridge" + suffix)
    words = [name, *sys.argv[1:]]
    if os.name == "nt":
        sys.exit(subprocess.call(words, executable=program))
    os.execv(program, words)


def prodmcp():
    _start("prodmcp")


def trueppm_mcp():
    _start("trueppm-mcp")


def ptm_mcp():
    _start("ptm-mcp")


def taiga_mcp():
    _start("taiga-mcp")
