"""Small faults to be put into the code, one at a time: a condition turned round, a call left out.

A fault is made in the syntax tree of a file and put into the functions that stand in memory. What
runs only once, at the import, cannot be changed so: tables and patterns, the fields of classes, and
what arguments are where they are left out. Single numbers and sentences of a module can.
"""

import ast
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any, cast

PACKAGE = Path(__file__).resolve().parents[2] / "leadpipe_mcp"
_TURNED: dict[type[ast.AST], type[Any]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
_PAIRS = [
    ("min", "max"),
    ("any", "all"),
    ("lower", "upper"),
    ("startswith", "endswith"),
    ("lstrip", "rstrip"),
    ("removeprefix", "removesuffix"),
    ("partition", "rpartition"),
]
_OTHERS = {**dict(_PAIRS), **{right: left for left, right in _PAIRS}}


# What type checkers alone read, or what runs only once, where a function is defined.
_NOT_RUN = {"annotation", "returns", "decorator_list", "bases", "format_spec", "pattern"}


@dataclass(frozen=True)
class Change:
    """One small fault."""

    name: str
    """Where it is and what it does; the same for as long as its line is as it was."""
    file: Path
    lines: frozenset[int]
    """The lines that do something else by it."""
    make: Callable[[Sequence[FunctionType]], None]
    """Put it into the functions, for good: the process should end soon after."""


@dataclass(frozen=True)
class _Place:
    """Where a node hangs in the tree of a file."""

    function: str
    parent: ast.AST
    field: str
    index: int | None
    node: ast.expr | ast.stmt | ast.ExceptHandler

    def put(self, new: ast.AST) -> None:
        """Let another node take its place."""
        if self.index is None:
            setattr(self.parent, self.field, new)
        else:
            getattr(self.parent, self.field)[self.index] = new


def changes_of(file: Path) -> list[Change]:
    """Every change of a file of the package."""
    source = file.read_text(encoding="utf-8")
    tree, texts, made = ast.parse(source), source.splitlines(), dict[str, Change]()
    for place in _places(tree, "", runs=False):
        old = place.node
        first, last = old.lineno, old.end_lineno or old.lineno
        for new, said in _instead_of(old, place):
            ast.fix_missing_locations(ast.copy_location(new, old))
            if place.function:
                lines = range(first, last + 1)
                make = partial(_change_functions, tree, place, new)
            else:
                name = ast.unparse(place.parent).split()[0].rstrip(":")
                lines = [
                    use.node.lineno
                    for use in _places(tree, "", runs=False)
                    if use.function and isinstance(use.node, ast.Name) and use.node.id == name
                ]
                if not lines:
                    continue  # a part of a table or a pattern
                make = partial(_change_module, name, old, new)
            where = f"{file.relative_to(PACKAGE).as_posix()} {place.function}".strip()
            line = texts[first - 1].strip()
            name = f"{where}: {line} | {said or f'{_said(old)} -> {_said(new)}'}"
            while name in made:
                name += " (another)"
            made[name] = Change(name, file, frozenset(lines), make)
    return list(made.values())


def _said(node: ast.AST) -> str:
    return " ".join(ast.unparse(node).split())[:80]


def _places(node: ast.AST, function: str, *, runs: bool) -> Iterator[_Place]:
    """What runs in functions, and the single numbers and sentences of a module."""
    for field, value in ast.iter_fields(node):
        several = isinstance(value, list)
        for number, child in enumerate(cast("list[object]", value if several else [value])):
            if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
                continue  # a docstring
            if field in _NOT_RUN or isinstance(child, ast.arguments):
                continue
            if isinstance(child, ast.expr | ast.stmt | ast.ExceptHandler):
                constant = isinstance(node, ast.Assign | ast.AnnAssign) and field == "value"
                if runs or (constant and not function and isinstance(child, ast.Constant)):
                    yield _Place(function, node, field, number if several else None, child)
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                name = f"{function}.{child.name}".lstrip(".")
                is_class = isinstance(child, ast.ClassDef)
                yield from _places(child, name, runs=runs or not is_class)
            elif isinstance(child, ast.AST):
                yield from _places(child, function, runs=runs)


def _instead_of(old: ast.AST, place: _Place) -> Iterator[tuple[ast.AST, str]]:
    """What may take a node's place so that the code does something else, and its name if short."""
    if place.field in {"test", "ifs"}:
        yield ast.Constant(value=True), ""
    if place.field == "test":
        yield ast.Constant(value=False), ""
    for new in [*_turned(old), *_other_values(old, place)]:
        yield new, ""
    match old:
        case ast.Call(func=called, args=given, keywords=named):
            for number, one in enumerate(named):
                others = [*named[:number], *named[number + 1 :]]
                yield ast.Call(called, given, others), f"without {_said(one)}"
        case ast.Expr() | ast.Raise() | ast.AugAssign() | ast.Continue() | ast.Break():
            yield ast.Pass(), f"without {_said(old)}"
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]):
            yield ast.Pass(), f"without {_said(old)}"
        case ast.Return(value=ast.expr() as value) if not _is_none(value):
            yield ast.Return(ast.Constant(None)), ""
        case ast.ExceptHandler(type=kind, name=name):
            yield ast.ExceptHandler(kind, name, [ast.Raise()]), "raised again"
        case _:
            pass


def _turned(old: ast.AST) -> Iterator[ast.expr]:
    """The same with another operator."""
    match old:
        case ast.Compare(left=left, ops=ops, comparators=others):
            for number, operator in enumerate(ops):
                turned = _TURNED[type(operator)]()
                yield ast.Compare(left, [*ops[:number], turned, *ops[number + 1 :]], others)
        case ast.BoolOp(op=operator, values=values):
            yield ast.BoolOp(_TURNED[type(operator)](), values)
        case ast.BinOp(left=left, op=operator, right=right):
            yield ast.BinOp(left, _TURNED[type(operator)](), right)
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=operand):
            yield operand
        case _:
            pass


def _other_values(old: ast.AST, place: _Place) -> Iterator[ast.expr]:
    """Another value, or what is called the other way round."""
    match old:
        case ast.Constant(value=bool() as value):
            yield ast.Constant(not value)
        case ast.Constant(value=int() | float() as value):
            yield ast.Constant(value + 1)
        case ast.Constant(value=str() as value) if not _is_type(place):
            yield ast.Constant("" if value else "something")
        case ast.Name(id=name) if place.field == "func" and name in _OTHERS:
            yield ast.Name(_OTHERS[name], ast.Load())
        case ast.Attribute(value=value, attr=name) if place.field == "func" and name in _OTHERS:
            yield ast.Attribute(value, _OTHERS[name], ast.Load())
        case _:
            pass


def _is_none(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _is_type(place: _Place) -> bool:
    """Whether a text is a type: `cast("list[str]", found)`."""
    parent = place.parent
    return isinstance(parent, ast.Call) and ast.unparse(parent.func) == "cast"


def _change_functions(
    tree: ast.Module, place: _Place, new: ast.AST, functions: Sequence[FunctionType]
) -> None:
    place.put(new)
    (file,) = {function.__code__.co_filename for function in functions}
    codes = {
        (code.co_qualname, code.co_firstlineno): code
        for code in _codes(compile(tree, file, "exec"))
    }
    for function in functions:
        code = function.__code__
        function.__code__ = codes[code.co_qualname, code.co_firstlineno]


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for part in code.co_consts:
        if isinstance(part, CodeType):
            yield from _codes(part)


def _change_module(name: str, old: ast.AST, new: ast.AST, _: Sequence[FunctionType]) -> None:
    assert isinstance(old, ast.Constant)
    assert isinstance(new, ast.Constant)
    for module in [one for key, one in sys.modules.items() if key.startswith(PACKAGE.name)]:
        if vars(module).get(name) == old.value:
            setattr(module, name, new.value)
