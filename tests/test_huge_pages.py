"""Commands that compute start with huge pages, where the kernel hands them out to those who ask."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from vidmodel_tf import cli, huge_pages
from vidmodel_tf.commands.parser import COMMANDS

SCRIPT = """
import os, re, sys
from pathlib import Path
from vidmodel_tf.huge_pages import restart_with_huge_pages
restart_with_huge_pages()
block = b"x" * 2**26  # NumPy asks for huge pages by itself
print(os.getpid(), os.environ.get("GLIBC_TUNABLES"), sys.argv[1:], sys.flags.dont_write_bytecode)
print(re.search(r"AnonHugePages: +([0-9]+) kB", Path("/proc/self/smaps_rollup").read_text())[1])
"""


@pytest.fixture
def offer(tmp_path, monkeypatch):
    """Sets what the kernel offers, to a C library that knows of it and an environment that says nothing."""
    monkeypatch.setenv("GLIBC_TUNABLES", "")
    monkeypatch.setenv("VIDMODEL_TUNABLES_BEFORE", "")
    monkeypatch.delenv("GLIBC_TUNABLES")
    monkeypatch.delenv("VIDMODEL_TUNABLES_BEFORE")
    monkeypatch.setattr(os, "confstr", lambda name: "glibc 2.35")
    monkeypatch.setattr(huge_pages, "_OFFER", tmp_path / "enabled")
    return (tmp_path / "enabled").write_text


@pytest.mark.skipif(not huge_pages.variables(), reason="the kernel hands out huge pages to all or to none")
def test_a_process_starts_again_with_huge_pages(tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)
    command = [sys.executable, "-B", str(tmp_path / "script.py"), "two words"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    first, huge = process.communicate()[0].splitlines()
    assert first == f"{process.pid} None ['two words'] 1"  # programs that it calls do not get the variable
    assert int(huge) > 2**15  # KB, most of the 64 MB


def test_it_restarts_once_and_takes_back_what_it_set(offer, monkeypatch):
    """Also where the system removes the variable on the way, as it does from processes with more rights."""
    offer("always [madvise] never\n")
    monkeypatch.setattr(os, "execve", lambda *_: pytest.fail("a second restart"))
    for before, after in (("glibc.malloc.perturb=1", "glibc.malloc.perturb=1"), ("", None)):
        monkeypatch.setenv("VIDMODEL_TUNABLES_BEFORE", before)
        huge_pages.restart_with_huge_pages()
        assert os.environ.get("GLIBC_TUNABLES") == after
        assert "VIDMODEL_TUNABLES_BEFORE" not in os.environ


def test_a_restart_that_fails_is_no_fault(offer, monkeypatch):
    offer("always [madvise] never\n")
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    huge_pages.restart_with_huge_pages()


def test_a_c_library_that_does_not_know_of_it_is_not_asked(offer, monkeypatch):
    offer("always [madvise] never\n")
    for version in ("glibc 2.34", "", None):
        monkeypatch.setattr(os, "confstr", lambda name, version=version: version)
        assert huge_pages.variables() == {}


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


@pytest.mark.parametrize(
    ("arguments", "restarts"), [(["train"], True), (["train", "--help"], False), (["check"], False), ([], False)]
)
def test_commands_that_compute_ask(offer, monkeypatch, arguments, restarts):
    assert set(COMMANDS) > cli._COMPUTING
    offer("always [madvise] never\n")
    started = []
    monkeypatch.setattr(os, "execve", lambda path, arguments, environment: started.append((arguments, environment)))
    monkeypatch.setattr(cli, "main", lambda: 0)
    monkeypatch.setattr(sys, "argv", ["vidmodel", *arguments])
    monkeypatch.setattr(sys, "orig_argv", ["python3", "/bin/vidmodel", *arguments])
    assert cli.run() == 0
    assert [command for command, _ in started] == [[sys.executable, "/bin/vidmodel", *arguments]] * restarts
    assert all(environment.items() >= os.environ.items() for _, environment in started)
