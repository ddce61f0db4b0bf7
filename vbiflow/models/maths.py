"""The functions that a model's equations may use, on arrays of NumPy, CuPy or torch.

Equations import their names from here. The kernels rebind the same names to branch-free polynomials (engine/float32.py,
engine/float64.py).
"""

from __future__ import annotations

import importlib
import math
from types import ModuleType
from typing import Any

pi = math.pi


def namespace(x: Any) -> ModuleType:
    """The array module that `x` belongs to; NumPy for plain numbers."""
    module = type(x).__module__.partition(".")[0]
    return importlib.import_module(module if module in ("torch", "cupy") else "numpy")


def asarray(values: Any, like: Any, dtype: str = "float64") -> Any:
    """`values` as an array of the library, and on the device, of `like`; on torch the gradient goes through."""
    xp = namespace(like)
    if xp.__name__ == "torch":
        return xp.as_tensor(values, dtype=getattr(xp, dtype), device=like.device)
    return xp.asarray(values, dtype)


def host(values: Any) -> Any:
    """`values` in NumPy: arrays of CuPy and torch are copied from their device, others are left as they are."""
    library = namespace(values).__name__
    return values.detach().cpu().numpy() if library == "torch" else values.get() if library == "cupy" else values


def exp(x: Any) -> Any:
    """Exponential."""
    return namespace(x).exp(x)


def expm1(x: Any) -> Any:
    """exp(x) - 1, precise near zero."""
    return namespace(x).expm1(x)


def log(x: Any) -> Any:
    """Natural logarithm."""
    return namespace(x).log(x)


def tanh(x: Any) -> Any:
    """Hyperbolic tangent."""
    return namespace(x).tanh(x)


def sin(x: Any) -> Any:
    """Sine."""
    return namespace(x).sin(x)


def cos(x: Any) -> Any:
    """Cosine."""
    return namespace(x).cos(x)


def sqrt(x: Any) -> Any:
    """Square root."""
    return namespace(x).sqrt(x)


def where(condition: Any, yes: Any, no: Any) -> Any:
    """`yes` where the condition holds, else `no`."""
    return namespace(condition).where(condition, yes, no)


FUNCTIONS = {function.__name__: function for function in (exp, expm1, log, tanh, sin, cos, sqrt, where)}
"""All that equations may call."""
