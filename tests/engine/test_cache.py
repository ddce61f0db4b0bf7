"""Where compiled code is kept, and whose it is."""

import os
import stat
import subprocess

import numba
import pytest

from vbiflow import cache, compilation
from vbiflow.engine import cpu

owned = pytest.mark.skipif(not hasattr(os, "getuid"), reason="files have no owner here")


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """Temporary files in a folder of the test, and no other place to write to."""
    blocked = tmp_path / "blocked"
    blocked.write_text("a file, so that no folder can be made below")
    monkeypatch.setenv("VBIFLOW_CACHE", str(blocked / "cache"))
    monkeypatch.setattr(cache.tempfile, "gettempdir", lambda: str(tmp_path))
    return tmp_path / f"vbiflow-{os.getuid()}"


@owned
def test_the_temporary_folder_is_the_users_alone(temporary):
    assert cache.cache_folder("kernels") == temporary
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
        cache.cache_folder("kernels")
    assert "\n" not in str(error.value)


@owned
@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root gives folders away")
def test_somebody_elses_folder_is_refused(temporary):
    temporary.mkdir(mode=0o700)
    os.chown(temporary, 12345, -1)
    with pytest.raises(ValueError, match="owner 12345"):
        cache.cache_folder("kernels")


def test_a_changed_kernel_is_not_executed(tmp_path, monkeypatch):
    monkeypatch.setenv("VBIFLOW_CACHE", str(tmp_path))
    (cache.cache_folder(f"kernels-numba-{numba.__version__}") / "planted.py").write_text("raise SystemExit")
    with pytest.raises(ValueError, match="not the kernel that its name stands for"):
        cpu.load_kernel("planted", "answer = 42\n")


def test_text_is_computed_once_for_a_key_and_each_time_without_a_folder(tmp_path, monkeypatch):
    calls = []

    def compute():
        calls.append(1)
        return "found"

    monkeypatch.setenv("VBIFLOW_CACHE", str(tmp_path))
    assert [cache.cached_text("texts", "key", compute) for _ in range(3)] == ["found"] * 3 and len(calls) == 1
    assert cache.cached_text("texts", "another key", compute) == "found" and len(calls) == 2
    monkeypatch.setattr(cache, "cache_folder", lambda name: tmp_path / "nowhere" / name / "\0")
    assert cache.cached_text("texts", "key", compute) == "found" and len(calls) == 3


@pytest.mark.parametrize(
    "damage", [lambda old: old[:-1], lambda old: b"", lambda old: old.replace(b"f", b"g"), lambda old: b"\xff"]
)
def test_a_damaged_text_is_computed_again(tmp_path, monkeypatch, damage):
    monkeypatch.setenv("VBIFLOW_CACHE", str(tmp_path))
    cache.cached_text("texts", "key", lambda: "found\nmore")
    (path,) = (tmp_path / "texts").glob("*.txt")
    path.write_bytes(damage(path.read_bytes()))
    assert cache.cached_text("texts", "key", lambda: "found\nmore") == "found\nmore"
    assert cache.cached_text("texts", "key", lambda: "never asked") == "found\nmore"


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
