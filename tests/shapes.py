"""Shapes in annotations are checked while tests run: who calls or returns otherwise gets jaxtyping's TypeCheckError.

Every function and dataclass of the library whose annotations name a shape is decorated with `jaxtyping.jaxtyped` as its
module is imported. jaxtyping's own import hook decorates all the others too, among them the kernels that Numba is to
compile and functions made anew in each call, and checks what is no array: tests hand in stand-ins on purpose.
"""

import ast
import sys
from collections.abc import Callable
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from inspect import isclass
from types import CodeType
from typing import get_args

import jaxtyping
from beartype import BeartypeConf, beartype
from jaxtyping import AbstractArray

_check = beartype(conf=BeartypeConf(is_pep484_tower=True))


def names_a_shape(annotation: object) -> bool:
    """Whether an annotation is jaxtyping's, or has one of them within."""
    if isclass(annotation) and issubclass(annotation, AbstractArray):
        return True
    return any(names_a_shape(part) for part in get_args(annotation))


def shapes_alone(function: Callable) -> Callable:
    """A type checker for `jaxtyped`: beartype, of the annotations that name a shape."""
    named = {name: hint for name, hint in function.__annotations__.items() if names_a_shape(hint)}
    if not named:
        return function
    function.__annotations__ = named
    return _check(function)


def checked(function: Callable) -> Callable:
    """A function or dataclass that checks the shapes its annotations name."""
    return jaxtyping.jaxtyped(function, typechecker=shapes_alone)


class _Decorate(ast.NodeTransformer):
    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        self.generic_visit(node)
        hints = [part.annotation for part in ast.walk(node.args) if isinstance(part, ast.arg)]
        if any(map(_shaped, [*hints, node.returns])):
            node.decorator_list.append(_decorator(node))  # innermost: others take annotations away
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        self.generic_visit(node)
        if any(isinstance(field, ast.AnnAssign) and _shaped(field.annotation) for field in node.body):
            node.decorator_list.insert(0, _decorator(node))  # outermost: `dataclass` makes the __init__ to check
        return node


def _shaped(annotation: ast.expr | None) -> bool:
    named = [] if annotation is None else [part.id for part in ast.walk(annotation) if isinstance(part, ast.Name)]
    return any(hasattr(jaxtyping, name) for name in named)


def _decorator(node: ast.stmt) -> ast.expr:
    made = ast.parse(f"__import__({__name__!r}, fromlist=['checked']).checked", mode="eval").body
    return ast.fix_missing_locations(ast.copy_location(made, node))


class _Loader(SourceFileLoader):
    def get_code(self, fullname: str) -> CodeType:
        """Of the decorated source, never of what Python keeps compiled."""
        path = self.get_filename(fullname)
        tree = ast.parse(self.get_data(path), path)
        return compile(ast.fix_missing_locations(_Decorate().visit(tree)), path, "exec", dont_inherit=True)


class _Finder(MetaPathFinder):
    def find_spec(self, fullname, path=None, target=None) -> ModuleSpec | None:
        if fullname.split(".")[0] != "lca_core":
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = _Loader(spec.loader.name, spec.loader.path)
        return spec


def check_shapes() -> None:
    """Decorate whatever of the library is imported from now on."""
    assert "lca_core.body" not in sys.modules, "too late: the library is imported already"
    sys.meta_path.insert(0, _Finder())
