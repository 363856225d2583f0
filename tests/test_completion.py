import shutil
import subprocess

import pytest

from vidmodel_tf.cli import main
from vidmodel_tf.commands.completion import SHELLS
from vidmodel_tf.commands.parser import COMMANDS


@pytest.fixture
def script(capsys, tmp_path):
    """A function: the script for a shell, in a file."""

    def write(shell):
        assert main(["completion", shell]) == 0
        path = tmp_path / f"complete.{shell}"
        path.write_text(capsys.readouterr().out, encoding="utf-8")
        return path

    return write


@pytest.mark.parametrize("shell", SHELLS)
def test_scripts_know_all_commands(shell, script):
    text = script(shell).read_text()
    assert all(name in text for name in COMMANDS)
    assert shell == "tcsh" or "--random-split" in text  # for tcsh shtab leaves the options of commands out


@pytest.mark.parametrize("shell", SHELLS)
def test_shells_can_read_their_scripts(shell, script):
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    subprocess.run([shell, "-n", str(script(shell))], check=True)


def completed(script, folder, *words):
    """What bash offers for the last of the words."""
    given = " ".join(f"'{word}'" for word in words)
    commands = f"""
source '{script}'
COMP_WORDS=({given}); COMP_CWORD={len(words) - 1}
_shtab_vidmodel vidmodel '{words[-1]}' '{words[-2]}'
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
    result = subprocess.run(["bash", "-c", commands], capture_output=True, text=True, check=True, cwd=folder)
    return set(result.stdout.split())


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_bash_completes_commands_options_and_files(script, tmp_path):
    (tmp_path / "videos").mkdir()
    (tmp_path / "videos" / "clip.mp4").touch()
    path = script("bash")
    assert completed(path, tmp_path, "vidmodel", "pre") == {"prepare", "predict"}
    assert completed(path, tmp_path, "vidmodel", "train", "--ba") == {"--backbone"}
    assert completed(path, tmp_path, "vidmodel", "export", "--format", "tf") == {"tflite"}
    assert completed(path, tmp_path, "vidmodel", "predict", "run", "videos/c") == {"videos/clip.mp4"}
    assert completed(path, tmp_path, "vidmodel", "evaluate", "--data", "vid") == {"videos"}
