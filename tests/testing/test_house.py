"""How the local tenant's modules depend on each other."""

import ast
import sys
from pathlib import Path

import auth0_stt.testing

PACKAGE = Path(auth0_stt.testing.__file__).parent
ROOT = "auth0_stt.testing"
#: What no module of the tenant but those below web/ may know.
HTTP = {"flask", "werkzeug", "authlib", "requests", "http"}


def modules():
    """Return the source of each module below auth0_stt.testing, by its dotted name."""
    found = {}
    for path in PACKAGE.rglob("*.py"):
        parts = [ROOT, *path.relative_to(PACKAGE).with_suffix("").parts]
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = path
    return found


def imports(name, path, known):
    """Return what a module imports: modules of ours by full name, others by top name."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if not node.level:
                yield (node.module or "").partition(".")[0]
                continue
            base = ".".join(package.split(".")[: 1 - node.level or None])
            source = ".".join(filter(None, [base, node.module]))
            for alias in node.names:
                inner = f"{source}.{alias.name}"
                yield inner if inner in known else source


def graph():
    """Return what each module imports."""
    known = modules()
    return {name: set(imports(name, path, known)) for name, path in known.items()}


def test_no_circle():
    """Imports among the modules point one way: none leads back to where it started."""
    edges, done = graph(), set()

    def walk(name, path):
        assert name not in path, " -> ".join([*path, name])
        if name in done:
            return
        for other in edges.get(name, ()):
            walk(other, [*path, name])
        done.add(name)

    for name in edges:
        walk(name, [])
    assert set(edges) <= done


def test_rules_know_no_http():
    """The tenant's state and rules are plain functions: only web/ knows HTTP."""
    for name, others in graph().items():
        if name.startswith(f"{ROOT}.tenant") and ".web" not in name:
            assert not others & HTTP, name
            assert not any(".web" in other for other in others), name


def test_one_place_reads_the_request():
    """Flask's request, its g and its current_app are read in origin.py, nowhere else."""
    web = PACKAGE / "tenant" / "web"
    for path in web.rglob("*.py"):
        imported = {
            alias.name
            for node in ast.walk(ast.parse(path.read_text("utf-8")))
            if isinstance(node, ast.ImportFrom) and node.module == "flask"
            for alias in node.names
        }
        assert path.name == "origin.py" or not imported & {"request", "g"}, path


def test_no_import_for_types_only():
    """No module imports another one for its type checker alone."""
    for path in modules().values():
        assert "TYPE_CHECKING" not in path.read_text("utf-8"), path


def test_routes_are_short():
    """A route says what happens in fewer than twenty lines; a function in forty."""
    for name, path in modules().items():
        if ".tenant.web" not in name:
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef):
                lines = node.end_lineno - node.lineno + 1
                route = any("routes." in ast.unparse(d) for d in node.decorator_list)
                assert lines <= (20 if route else 40), node.name


def test_core_does_not_import_it():
    """The library works without the extra: nothing in its core imports the tenant."""
    core = Path(sys.modules["auth0_stt"].__file__).parent
    for path in core.glob("*.py"):
        text = path.read_text("utf-8")
        assert path.name == "__main__.py" or ".testing" not in text, path
