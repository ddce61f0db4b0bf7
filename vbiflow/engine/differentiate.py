"""The derivatives of a model's equations by its states, as text for kernels and reference: forward differentiation.

`specialise` turns `dfun` into scalar functions of names, + - * /, the functions of models.maths and helpers. Each gets
partial derivatives here, by the chain rule, in which what is zero is left out; and from these follows

    m_implicit(h, e_r, e_v, ..., y_r, y_v, ..., c_r, ..., p_tau, ...) = (1 - h J)^-1 e,    J = d dfun / d y of a node,

by elimination written out for the entries of J that are not zero, without pivots: 1 - h J is close to the identity, or
its diagonal leads.

Reference: Griewank & Walther 2008, Evaluating derivatives, doi:10.1137/1.9780898717761
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from functools import cache
from typing import Any

from vbiflow.engine.specialise import specialise
from vbiflow.models.maths import FUNCTIONS, pi
from vbiflow.models.model import Model

Fields = tuple[tuple[str, tuple[str, ...]], ...]
RULES = {
    "exp": "exp(x)",
    "expm1": "(expm1(x) + F(1.0))",
    "log": "F(1.0) / x",
    "tanh": "(F(1.0) - tanh(x) * tanh(x))",
    "sin": "cos(x)",
    "cos": "-sin(x)",
    "sqrt": "F(0.5) / sqrt(x)",
}
"""Derivatives of the functions that equations may call."""


class Derivatives:
    """Functions of a text, and derivatives of them, made as they are asked for."""

    def __init__(self, text: str) -> None:
        self.functions = {node.name: node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)}
        self.made: dict[str, str] = {}
        self.zero: dict[str, tuple[bool, ...]] = {}

    def partial(self, name: str, argument: str) -> str:
        """Name of the function that returns the derivatives of `name` by one of its arguments, those that are not zero;
        `zero` says which are.
        """
        own = f"{name}_by_{argument}"
        if own in self.zero:
            return own
        node, known, lines = self.functions[name], {argument: "F(1.0)"}, []
        for statement in node.body:
            value = statement.value
            if isinstance(statement, ast.Assign):
                target = statement.targets[0].id
                lines.append(ast.unparse(statement))
                slope = self.slope(value, known)
                if slope:
                    known[target] = f"d_{target}"
                    lines.append(f"d_{target} = {slope}")
                continue
            results = value.elts if isinstance(value, ast.Tuple) else [value]
            slopes = [self.slope(result, known) for result in results]
        self.zero[own] = tuple(slope is None for slope in slopes)
        kept = [slope for slope in slopes if slope]
        lines.append(f"return ({', '.join(kept)}{',' * isinstance(value, ast.Tuple)})" if kept else "return ()")
        arguments = ", ".join(a.arg for a in node.args.args)
        self.made[own] = "\n    ".join([f"@function\ndef {own}({arguments}):", *lines])
        return own

    def slope(self, node: ast.expr, known: dict[str, str]) -> str | None:
        """The derivative of an expression, where those of names are `known`; None if it is zero."""
        if isinstance(node, ast.Name):
            return known.get(node.id)
        if isinstance(node, ast.UnaryOp):
            inner = self.slope(node.operand, known)
            return inner and f"(-{inner})"
        if isinstance(node, ast.BinOp):
            return self.of_operation(node, known)
        if isinstance(node, ast.Call) and node.func.id != "F":
            return self.of_call(node, known)
        return None

    def of_operation(self, node: ast.BinOp, known: dict[str, str]) -> str | None:
        """Sums, products and quotients."""
        left, right = (f"({ast.unparse(side)})" for side in (node.left, node.right))
        a, b = self.slope(node.left, known), self.slope(node.right, known)
        if isinstance(node.op, ast.Add | ast.Sub):
            sign = "+" if isinstance(node.op, ast.Add) else "-"
            return f"({a} {sign} {b})" if a and b else a or (b and f"({sign}{b})")
        if isinstance(node.op, ast.Mult):
            terms = [f"{a} * {right}"] * bool(a) + [f"{left} * {b}"] * bool(b)
        else:
            terms = [f"{a} / {right}"] * bool(a) + [f"-{left} * {b} / ({right} * {right})"] * bool(b)
        return f"({' + '.join(terms)})" if terms else None

    def of_call(self, node: ast.Call, known: dict[str, str]) -> str | None:
        """Functions of models.maths, and helpers of the model by derivatives of their own."""
        name, slopes = node.func.id, [self.slope(argument, known) for argument in node.args]
        if not any(slopes):
            return None
        texts = [f"({ast.unparse(argument)})" for argument in node.args]
        if name == "where":
            zero = f"(F(0.0) * {texts[1] if slopes[1] is None else texts[2]})"
            return f"where({texts[0]}, {slopes[1] or zero}, {slopes[2] or zero})"
        if name in RULES:
            rule = ast.parse(RULES[name], mode="eval")
            return f"(({ast.unparse(Substitute(node.args[0]).visit(rule))}) * {slopes[0]})"
        terms = []
        for parameter, slope in zip(self.functions[name].args.args, slopes, strict=True):
            if slope:
                own = self.partial(name, parameter.arg)
                terms += [] if self.zero[own][0] else [f"{own}({', '.join(texts)}) * {slope}"]
        return f"({' + '.join(terms)})" if terms else None


class Substitute(ast.NodeTransformer):
    """x becomes an expression."""

    def __init__(self, value: ast.expr) -> None:
        self.value = value

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """The expression for a name x; other names as they are."""
        return self.value if node.id == "x" else node


@cache
def implicit_source(dfun: Callable[..., Any], fields: Fields) -> str:
    """Text of `m_implicit` and of the derivatives that it calls; it stands after the text of `dfun`."""
    derivatives, states = Derivatives(specialise((dfun,), "m", fields)), dict(fields)["y"]
    arguments = [f"{group}_{name}" for group, names in fields for name in names]
    entries: dict[tuple[int, int], str] = {}
    lines = []
    for column, state in enumerate(states):
        own = derivatives.partial("m_dfun", f"y_{state}")
        rows = [row for row, zero in enumerate(derivatives.zero[own]) if not zero]
        if rows:
            lines.append(f"j = {own}({', '.join(arguments)})")
        for place, row in enumerate(rows):
            entries[row, column] = f"m_{row}_{column}"
            lines.append(f"m_{row}_{column} = {'F(1.0) - ' if row == column else '-'}h * j[{place}]")
    for k in range(len(states)):
        if (k, k) not in entries:
            entries[k, k] = f"m_{k}_{k}"
            lines.append(f"m_{k}_{k} = F(1.0) + F(0.0) * h")
    lines += elimination(entries, [f"e_{state}" for state in states])
    head = ", ".join(["h", *(f"e_{state}" for state in states), *arguments])
    results = ", ".join(f"e_{state}" for state in states)
    body = "\n    ".join([f"@function\ndef m_implicit({head}):", *lines, f"return ({results},)"])
    return "\n\n".join([*derivatives.made.values(), body])


def elimination(entries: dict[tuple[int, int], str], right: list[str]) -> list[str]:
    """Statements that turn `right` into the solution of the system, by the entries that are not zero."""
    n, filled, lines = len(right), set(entries), []
    for k in range(n):
        below = [i for i in range(k + 1, n) if (i, k) in filled]
        lines += [f"r_{k} = F(1.0) / m_{k}_{k}"]
        for i in below:
            lines.append(f"f = m_{i}_{k} * r_{k}")
            for j in (j for j in range(k + 1, n) if (k, j) in filled):
                start = f"m_{i}_{j}" if (i, j) in filled else ""
                lines.append(f"m_{i}_{j} = {start} - f * m_{k}_{j}".replace("=  -", "= -"))
                filled.add((i, j))
            lines.append(f"{right[i]} = {right[i]} - f * {right[k]}")
    for k in reversed(range(n)):
        after = "".join(f" - m_{k}_{j} * {right[j]}" for j in range(k + 1, n) if (k, j) in filled)
        lines.append(f"{right[k]} = ({right[k]}{after}) * r_{k}")
    return lines


def implicit_function(model: Model) -> Callable[..., tuple[Any, ...]]:
    """`m_implicit` on arrays of any library."""
    return compile_implicit(
        model.dfun, (("y", tuple(model.states)), ("c", model.sends), ("p", tuple(model.parameters)))
    )


@cache
def compile_implicit(dfun: Callable[..., Any], fields: Fields) -> Callable[..., tuple[Any, ...]]:
    """`m_implicit` of these equations."""
    text = "\n\n".join([specialise((dfun,), "m", fields), implicit_source(dfun, fields)])
    made: dict[str, Any] = FUNCTIONS | {"pi": pi, "F": float, "function": lambda function: function}
    exec(text, made)
    return made["m_implicit"]
