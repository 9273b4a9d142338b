"""A digest of the code that the rows of a comparison follow from: rows of other code are made again.

The code is that of the module that makes rows and of all modules of ours that it imports, directly or not. Comments,
docstrings and the messages of errors do not count, nor does what is imported for them alone.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path

PACKAGE = "swift_hyperband"
ROWS = f"{PACKAGE}.compare.rows"
"""The module that makes rows."""


@cache
def digest() -> str:
    """Return the SHA-256 of the code that rows follow from."""
    return digest_of(Path(__file__).parents[1], ROWS)


def digest_of(package: Path, module: str) -> str:
    """Return the SHA-256 of the code of a module and of what it imports.

    Parameters
    ----------
    package : Path
        The folder of the package `swift_hyperband`.
    module : str
        Its full name, such as "swift_hyperband.compare.rows".
    """
    code = closure(package, module)
    return sha256("".join(f"{name} {code[name]}\n" for name in sorted(code)).encode()).hexdigest()


def closure(package: Path, module: str) -> dict[str, str]:
    """Return the digests of a module and of all modules of the package that it imports, by full name."""
    found: dict[str, str] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        path = _path(package, name)
        if name not in found and path is not None:
            found[name], imported = _read(path.read_bytes())
            waiting += imported
    return found


@cache
def _read(content: bytes) -> tuple[str, Sequence[str]]:
    """Return the digest of a module's code and the modules of the package that it imports."""
    code = _Bare().visit(ast.parse(content))
    return sha256(ast.dump(code).encode()).hexdigest(), list(_imported(code))


def _path(package: Path, module: str) -> Path | None:
    """Return the file of a module; None if there is none, as where a name is imported from a module."""
    place = package.parent.joinpath(*module.split("."))
    candidates = place.with_suffix(".py"), place / "__init__.py"
    return next((path for path in candidates if path.is_file()), None)


class _Bare(ast.NodeTransformer):
    """Leaves out what no row depends on."""

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        # docstrings, also those below constants
        return ast.Pass() if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str) else node

    def visit_Raise(self, node: ast.Raise) -> ast.AST:  # noqa: ARG002
        # that no row is made
        return ast.Raise()

    def visit_If(self, node: ast.If) -> ast.AST:
        # never true when it runs
        if isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            return ast.Pass()
        return self.generic_visit(node)


def _imported(code: ast.Module) -> Iterator[str]:
    """Yield the modules of the package that code imports and uses, wherever it does."""
    used = {node.id for node in ast.walk(code) if isinstance(node, ast.Name)}
    for node in ast.walk(code):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names if name.name.startswith(f"{PACKAGE}."))
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == PACKAGE:
            for name in node.names:
                if (name.asname or name.name) in used:
                    yield str(node.module)
                    yield f"{node.module}.{name.name}"
