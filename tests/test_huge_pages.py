"""Commands that compute start with huge pages, where the kernel hands them out to those who ask."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from vidmodel_tf import cli, huge_pages

SCRIPT = """
import os, re, sys
from pathlib import Path
from vidmodel_tf.huge_pages import restart_with_huge_pages
restart_with_huge_pages()
import numpy as np
block = np.ones(2**26, np.uint8)
print(os.getpid(), os.environ["GLIBC_TUNABLES"], sys.argv[1:], sys.flags.dont_write_bytecode)
print(re.search(r"AnonHugePages: +([0-9]+) kB", Path("/proc/self/smaps_rollup").read_text())[1])
"""


@pytest.fixture
def offer(tmp_path, monkeypatch):
    """Sets what the kernel offers, and that the environment says nothing."""
    monkeypatch.delenv("GLIBC_TUNABLES", raising=False)
    monkeypatch.setattr(huge_pages, "_OFFER", tmp_path / "enabled")
    return (tmp_path / "enabled").write_text


@pytest.mark.skipif(not huge_pages.variables(), reason="the kernel hands out huge pages to all or to none")
def test_a_process_starts_again_with_huge_pages(tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)
    command = [sys.executable, "-B", str(tmp_path / "script.py"), "two words"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    first, huge = process.communicate()[0].splitlines()
    assert first == f"{process.pid} glibc.malloc.hugetlb=1 ['two words'] 1"
    assert int(huge) > 2**15  # KB, most of the 64 MB


def test_what_the_environment_says_already_stays(offer, monkeypatch):
    offer("always [madvise] never\n")
    assert huge_pages.variables() == {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}
    monkeypatch.setenv("GLIBC_TUNABLES", "glibc.malloc.perturb=1")
    assert huge_pages.variables() == {"GLIBC_TUNABLES": "glibc.malloc.perturb=1:glibc.malloc.hugetlb=1"}
    monkeypatch.setenv("GLIBC_TUNABLES", "glibc.malloc.hugetlb=0")
    assert huge_pages.variables() == {}


def test_where_they_do_not_help_nothing_is_set(offer):
    assert huge_pages.variables() == {}  # no such file: another system
    for text in ("[always] madvise never\n", "always madvise [never]\n"):
        offer(text)
        assert huge_pages.variables() == {}


@pytest.mark.parametrize(("command", "restarts"), [("train", True), ("check", False), ("--version", False)])
def test_commands_that_compute_ask(offer, monkeypatch, command, restarts):
    offer("always [madvise] never\n")
    started = []
    monkeypatch.setattr(os, "execve", lambda path, arguments, environment: started.append((arguments, environment)))
    monkeypatch.setattr(cli, "main", lambda: 0)
    monkeypatch.setattr(sys, "argv", ["vidmodel", command])
    monkeypatch.setattr(sys, "orig_argv", ["python3", "/bin/vidmodel", command])
    assert cli.run() == 0
    assert [arguments for arguments, _ in started] == [[sys.executable, "/bin/vidmodel", command]] * restarts
    assert all(environment.items() >= os.environ.items() for _, environment in started)
