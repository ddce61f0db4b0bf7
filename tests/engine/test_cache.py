"""Where compiled code is kept, and whose it is."""

import os
import stat
import subprocess

import pytest

from vbiflow import compilation
from vbiflow.engine import cpu

owned = pytest.mark.skipif(not hasattr(os, "getuid"), reason="files have no owner here")


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """Temporary files in a folder of the test, and no other place to write to."""
    blocked = tmp_path / "blocked"
    blocked.write_text("a file, so that no folder can be made below")
    monkeypatch.setenv("VBIFLOW_CACHE", str(blocked / "cache"))
    monkeypatch.setattr(cpu.tempfile, "gettempdir", lambda: str(tmp_path))
    return tmp_path / f"vbiflow-{os.getuid()}"


@owned
def test_the_temporary_folder_is_the_users_alone(temporary):
    assert cpu.cache_folder() == temporary
    assert stat.S_IMODE(temporary.stat().st_mode) == 0o700


@owned
@pytest.mark.parametrize("how", ["others write", "link"])
def test_a_folder_that_others_could_have_filled_is_refused(temporary, how, tmp_path):
    if how == "link":
        (tmp_path / "elsewhere").mkdir()
        temporary.symlink_to(tmp_path / "elsewhere")
    else:
        temporary.mkdir()
        temporary.chmod(0o777)
    with pytest.raises(ValueError, match=r"not a folder of user .* set VBIFLOW_CACHE") as error:
        cpu.cache_folder()
    assert "\n" not in str(error.value)


@owned
@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root gives folders away")
def test_somebody_elses_folder_is_refused(temporary):
    temporary.mkdir(mode=0o700)
    os.chown(temporary, 12345, -1)
    with pytest.raises(ValueError, match="owner 12345"):
        cpu.cache_folder()


def test_a_changed_kernel_is_not_executed(tmp_path, monkeypatch):
    monkeypatch.setenv("VBIFLOW_CACHE", str(tmp_path))
    (cpu.cache_folder() / "planted.py").write_text("raise SystemExit")
    with pytest.raises(ValueError, match="not the kernel that its name stands for"):
        cpu.load_kernel("planted", "answer = 42\n")


def test_without_a_folder_to_write_code_is_compiled_and_one_line_says_so(monkeypatch):
    def refuse(*_arguments, **options):
        if options.pop("cache", False):
            raise RuntimeError("cannot cache function: no locator available")
        return lambda function: function

    monkeypatch.setattr(compilation.numba, "njit", refuse)
    with pytest.warns(RuntimeWarning, match="set NUMBA_CACHE_DIR"):
        assert compilation.compile_cached()(abs) is abs


def test_every_function_with_a_cache_is_compiled_in_the_one_place():
    sources = subprocess.run(
        ["git", "grep", "-l", "cache=True", "--", "vbiflow/*.py"], capture_output=True, text=True, check=False
    ).stdout.split()
    assert set(sources) <= {"vbiflow/compilation.py", "vbiflow/engine/source.py"}
