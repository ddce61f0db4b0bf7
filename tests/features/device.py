"""A stand-in for CuPy on a machine without a GPU: NumPy behind arrays that refuse to become NumPy ones by themselves.

As CuPy's, its functions take no NumPy array, its arrays don't mix with NumPy ones except as an index, and only `get`
brings values to the host, which is recorded.
"""

from __future__ import annotations

import operator
import sys
import types

import numpy as np
import scipy.fft
import scipy.signal

NAME = "standin"
TRANSFERS: list[tuple[int, ...]] = []


class Array:
    """An array on the device."""

    __array_ufunc__ = None
    __module__ = NAME

    def __init__(self, values: np.ndarray) -> None:
        self._values = values

    def get(self) -> np.ndarray:
        TRANSFERS.append(self._values.shape)
        return self._values.copy()

    def __array__(self, *_args, **_keywords):
        raise TypeError("implicit conversion to a NumPy array is not allowed")

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        found = getattr(self._values, name)
        return wrap_function(found) if callable(found) else wrapped(found)

    def __getitem__(self, index):
        return wrapped(self._values[unwrapped_index(index)])

    def __setitem__(self, index, value):
        self._values[unwrapped_index(index)] = unwrapped(value)

    def __len__(self):
        return len(self._values)

    def __bool__(self):
        return bool(self._values)

    def __float__(self):
        return float(self._values)

    def __iter__(self):
        return (wrapped(part) for part in self._values)


def binary(name):
    """An operator between arrays of the device and numbers."""
    function = getattr(operator, name)

    def straight(self, other):
        return wrapped(function(self._values, unwrapped(other)))

    def turned(self, other):
        return wrapped(function(unwrapped(other), self._values))

    return straight, turned


def in_place(name):
    """An operator that changes its left side."""
    function = getattr(operator, name)
    return lambda self, other: Array(function(self._values, unwrapped(other)))


def unary(name):
    """An operator on one array of the device."""
    function = getattr(operator, name)
    return lambda self: wrapped(function(self._values))


for _name in ("add", "sub", "mul", "truediv", "pow", "matmul", "floordiv", "mod", "and_", "or_"):
    _bare = _name.rstrip("_")
    _straight, _turned = binary(_name)
    setattr(Array, f"__{_bare}__", _straight)
    setattr(Array, f"__r{_bare}__", _turned)
    setattr(Array, f"__i{_bare}__", in_place(f"i{_bare}"))
for _name in ("lt", "le", "gt", "ge", "eq", "ne"):
    setattr(Array, f"__{_name}__", binary(_name)[0])
for _name in ("neg", "abs", "invert"):
    setattr(Array, f"__{_name}__", unary(_name))


def wrapped(value):
    """Results of NumPy as the device has them: scalars are arrays of no axis."""
    if isinstance(value, tuple | list) and any(isinstance(part, np.ndarray) for part in value):
        return type(value)(wrapped(part) for part in value)
    return Array(np.asarray(value)) if isinstance(value, np.ndarray | np.generic) else value


def unwrapped(value):
    """What NumPy computes with; a NumPy array from the host is refused."""
    if isinstance(value, Array):
        return value._values
    if isinstance(value, np.ndarray) and value.ndim:
        raise TypeError(f"unsupported type {type(value)}: an array on the host")
    if isinstance(value, list | tuple):
        return type(value)(unwrapped(part) for part in value)
    return value


def unwrapped_index(index):
    """An index, which may hold arrays of the host."""
    parts = index if isinstance(index, tuple) else (index,)
    plain = tuple(part._values if isinstance(part, Array) else part for part in parts)
    return plain if isinstance(index, tuple) else plain[0]


def wrap_function(function):
    def call(*arguments, **keywords):
        keywords = {key: unwrapped(value) for key, value in keywords.items()}
        return wrapped(function(*(unwrapped(argument) for argument in arguments), **keywords))

    return call


class Module(types.ModuleType):
    """A module whose functions work on the device."""

    def __init__(self, name, original):
        super().__init__(name)
        self._original = original

    def __getattr__(self, name):
        if name in ("asarray", "array"):
            return lambda values, dtype=None: Array(
                np.array(values._values if isinstance(values, Array) else values, dtype)
            )
        found = getattr(self._original, name)
        if isinstance(found, types.ModuleType):
            return Module(f"{self.__name__}.{name}", found)
        return found if isinstance(found, type) or not callable(found) else wrap_function(found)


def install(monkeypatch) -> Module:
    """The stand-in, in the place of CuPy."""
    module = Module(NAME, np)
    monkeypatch.setitem(sys.modules, NAME, module)
    monkeypatch.setitem(sys.modules, "cupyx", types.ModuleType("cupyx"))
    monkeypatch.setitem(sys.modules, "cupyx.scipy", types.ModuleType("cupyx.scipy"))
    monkeypatch.setitem(sys.modules, "cupyx.scipy.fft", Module("cupyx.scipy.fft", scipy.fft))
    monkeypatch.setitem(sys.modules, "cupyx.scipy.signal", Module("cupyx.scipy.signal", scipy.signal))
    TRANSFERS.clear()
    return module
