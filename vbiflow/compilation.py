"""Functions compiled by numba, kept on disk where a folder can be written."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numba


def compile_cached(**options: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """numba.njit(cache=True, **options); without a cache, and a warning of one line, where no folder can be written."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        try:
            return numba.njit(cache=True, **options)(function)
        except RuntimeError:
            warnings.warn(
                "compiled code is not kept, since neither the folder of vbiflow nor the user's cache can be written: "
                "every process compiles again; set NUMBA_CACHE_DIR to a folder that can",
                RuntimeWarning,
                stacklevel=2,
            )
            return numba.njit(**options)(function)

    return decorate
