"""Elementary functions and random numbers as text that stands in a GPU kernel's module."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path

import numpy as np

from vbiflow.engine import float32, float64, noise
from vbiflow.engine.plan import Plan

BOTH_PRECISIONS = ("log_mantissa", "split", "sin_cos_quarter", "turn", "sin_cos", "sin", "cos", "radius", "circle")
"""Functions of float32.py and float64.py that run on a GPU as they are."""
DOUBLE = {
    "np.float32, np.int32, np.uint32, np.uint32, numba.float32": (
        "np.float64, np.int64, np.uint64, np.uint32, numba.float64"
    ),
    "libdevice.int_as_float, libdevice.float_as_int": "libdevice.longlong_as_double, libdevice.double_as_longlong",
}


def text_of(function: Callable) -> str:
    """A kernel function's text, decorated for the GPU."""
    text = inspect.getsource(function.py_func)
    return "@function\n" + text[text.index("def ") :]


def function_texts(plan: Plan) -> str:
    """Elementary functions and noise in the plan's precision."""
    text = Path(__file__).with_name("gpu_functions.py").read_text(encoding="utf-8")
    if plan.dtype is np.float64:
        for single, double in DOUBLE.items():
            text = text.replace(single, double)
    module = float32 if plan.dtype is np.float32 else float64
    parts = [text_of(getattr(module, name)) for name in BOTH_PRECISIONS]
    return "\n\n\n".join([text, *parts, text_of(noise.philox), text_of(noise.four_normals)])
