"""What every feature keeps: its name, options and signature when it is made, names and values when it is taken."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np


def check_definition(name: str, function: Callable[..., Any], unit: str, options: Mapping[str, Any]) -> None:
    """Check a feature when it is made.

    Raises
    ------
    ValueError
        In one line that names the feature and what is missing.
    """
    if not isinstance(name, str) or not re.fullmatch(r"\w+", name):
        raise ValueError(f"feature {name!r}: the name is a word of letters, digits and _")
    if not isinstance(unit, str) or not unit:
        raise ValueError(f'feature {name}: unit is {unit!r}; name that of its values, "1" if they have none')
    if not inspect.isgeneratorfunction(function):
        raise ValueError(f"feature {name}: its function yields nothing; write yield names, values")
    check_signature(name, function, options)
    for key, option in options.items():
        try:
            option.read(option.default)
        except (AttributeError, KeyError) as error:
            raise ValueError(
                f"feature {name}, option {key}: {option!r} is no Option(default, kind, meaning)"
            ) from error
        except ValueError as error:
            raise ValueError(f"feature {name}, option {key}: default {error}") from None


def check_signature(name: str, function: Callable[..., Any], options: Mapping[str, Any]) -> None:
    """The function takes a batch, and by keyword the options that are declared."""
    parameters = list(inspect.signature(function).parameters.values())
    any_keyword = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters)
    taken = {p.name for p in parameters if p.kind in (p.KEYWORD_ONLY, p.POSITIONAL_OR_KEYWORD)}
    taken -= {parameters[0].name} if parameters else set()
    if not parameters or parameters[0].kind not in (
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
        inspect.Parameter.POSITIONAL_ONLY,
    ):
        raise ValueError(f"feature {name}: its function takes no batch; write def {function.__name__}(batch, *, ...)")
    missing, extra = sorted(options.keys() - taken), sorted(taken - options.keys())
    if missing and not any_keyword:
        raise ValueError(f"feature {name}: its function does not take the option {missing[0]}; add it after the *")
    if extra:
        raise ValueError(
            f"feature {name}: its function takes {extra[0]}, which is no option; "
            f"declare @feature({name!r}, {extra[0]}=Option(default, kind, meaning))"
        )


def check_piece(name: str, piece: Any, n_simulations: int) -> tuple[list[str], Any]:
    """What a feature yielded, as (names, values).

    Raises
    ------
    ValueError
        If it is no pair, or the names are not as many texts as there are columns of values.
    """
    form = f"yield names, values with values of shape ({n_simulations}, number of names)"
    if not isinstance(piece, tuple) or len(piece) != 2:
        found = f"an array of shape {np.shape(piece)}" if hasattr(piece, "shape") else f"a {type(piece).__name__}"
        raise ValueError(f"feature {name} yields {found}; {form}")
    names, values = piece
    if isinstance(names, str) or not all(isinstance(text, str) for text in names):
        raise ValueError(f"feature {name} yields the names {names!r}; {form}, names a list of texts")
    for array in values if isinstance(values, list) else [values]:
        if len(getattr(array, "shape", ())) != 2 or array.shape[0] != n_simulations:
            shape = getattr(array, "shape", type(array).__name__)
            raise ValueError(f"feature {name} yields {len(names)} names and values of shape {shape}; {form}")
    return list(names), values
