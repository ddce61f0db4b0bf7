"""Turn a model's functions into the text of scalar functions for a kernel.

`dfun(y, c, p)` becomes `dfun(y_r, y_v, c_r, p_tau, ...)`: fields become arguments, literals are cast to the kernel's
precision (a bare 0.5 would promote float32 to float64), whole powers become products, helpers and constants of the
model's module come along.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from vbiflow.models.maths import FUNCTIONS


class Specialise(ast.NodeTransformer):
    """Rewrite one function; `helpers` collects the plain functions that it calls."""

    def __init__(self, function: Callable[..., Any], prefix: str, fields: dict[str, Sequence[str]]) -> None:
        self.function, self.prefix, self.fields = function, prefix, fields
        self.helpers: dict[str, Callable[..., Any]] = {}
        self.local: set[str] = set()

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        """Rename, flatten the arguments, drop the docstring."""
        names = [argument.arg for argument in node.args.args]
        self.local = set(names) | {
            n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
        }
        flat = [f"{name}_{field}" for name in names for field in self.fields.get(name, ())]
        node.args.args = [ast.arg(name) for name in (flat if self.fields else names)]
        body = node.body[1:] if ast.get_docstring(node) else node.body
        node.body = [self.visit(statement) for statement in body]
        node.name = f"{self.prefix}_{node.name}"
        node.decorator_list = [ast.Name("function", ast.Load())]
        node.returns = None
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        """y.r -> y_r."""
        if isinstance(node.value, ast.Name) and node.value.id in self.fields:
            return ast.Name(f"{node.value.id}_{node.attr}", ast.Load())
        raise self.error(node, "an attribute other than of y, c and p")

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        """0.5 -> F(0.5)."""
        return ast.Call(ast.Name("F", ast.Load()), [ast.Constant(float(node.value))], [])

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        """x**3 -> x * x * x."""
        if not isinstance(node.op, ast.Pow):
            return self.generic_visit(node)
        if not isinstance(node.right, ast.Constant) or node.right.value not in (2, 3, 4):
            raise self.error(node, "a power other than 2, 3 or 4")
        product = base = self.visit(node.left)
        for _ in range(node.right.value - 1):
            product = ast.BinOp(product, ast.Mult(), base)
        return product

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """Constants of the module become literals, its functions helpers."""
        if node.id in self.local or node.id in FUNCTIONS or node.id == "pi":
            return node
        value = self.function.__globals__.get(node.id)
        if isinstance(value, int | float):
            return self.visit_Constant(ast.Constant(value))
        if inspect.isfunction(value):
            self.helpers[node.id] = value
            return ast.Name(f"{self.prefix}_{node.id}", ast.Load())
        raise self.error(node, f"{node.id!r}")

    def error(self, node: ast.AST, what: str) -> ValueError:
        """One line that names the function and what may stand in it."""
        name = f"{self.function.__module__}.{self.function.__name__}"
        return ValueError(f"{name} holds {what}; use + - * /, whole powers to 4 and {', '.join(FUNCTIONS)}")


@cache
def specialise(
    functions: tuple[Callable[..., Any], ...], prefix: str, fields: tuple[tuple[str, tuple[str, ...]], ...]
) -> str:
    """Text of the functions, and before them of the helpers that they call; names get `prefix`."""
    done: dict[str, str] = {}

    def add(function: Callable[..., Any], fields: dict[str, Sequence[str]]) -> None:
        if function.__name__ in done:
            return
        transformer = Specialise(function, prefix, fields)
        tree = transformer.visit(ast.parse(textwrap.dedent(inspect.getsource(function))).body[0])
        for helper in transformer.helpers.values():
            add(helper, {})
        done[function.__name__] = ast.unparse(ast.fix_missing_locations(tree))

    for function in functions:
        add(function, dict(fields))
    return "\n\n".join(done.values())
