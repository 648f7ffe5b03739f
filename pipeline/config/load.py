"""An intent file, from its path to a configuration or to every problem of it at once."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

from collector.written.document import LARGEST, Document, read_document
from collector.written.problem import ConfigError, Problem, Weight
from pipeline.config.convert import converted
from pipeline.config.crosscheck import CHECKS, Names
from pipeline.config.lints import LINTS
from pipeline.config.settings import Config
from pipeline.config.shape import Complaint, Shaped, Spoilt, shaped

MOST_PROBLEMS = 1_000  # nobody reads more, and hostile text could make millions


def load(path: Path | str) -> Config:
    """Read and check an intent file. Lints travel with the configuration.

    Raises ConfigError with every problem of the file when at least one of them is an error.
    """
    config, problems = _read(Path(path))
    if config is None:
        raise ConfigError(problems)
    return replace(config, lints=problems)


def check(path: Path | str) -> tuple[Problem, ...]:
    """Return every problem of an intent file, errors and lints, in the order of the file; empty when all is well."""
    return _read(Path(path))[1]


def _read(path: Path) -> tuple[Config | None, tuple[Problem, ...]]:
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST + 1)
    except OSError as error:
        said = f"cannot be read: {error.strerror or error}; name an intent file that can"
        return None, (Problem(str(path), 0, 0, (), said),)
    return read(raw, path)


def read(raw: bytes, path: Path) -> tuple[Config | None, tuple[Problem, ...]]:
    """Check the bytes of an intent file that stands, or will stand, at `path`.

    Returns the configuration (None when there are errors) and every problem in the order of the file.
    """
    document = read_document(raw)
    faults = [Problem(str(path), each.mark.line, each.mark.column, each.path, each.message) for each in document.faults]
    if document.tree is None and faults:
        return None, tuple(faults)[:MOST_PROBLEMS]
    form = shaped(document.tree, document.gaps)
    errors = [*form.complaints]
    if form.model is not None:
        errors += islice(_misfits(form, document), MOST_PROBLEMS)
    problems = [*faults, *_problems(errors, document, path, Weight.ERROR)]
    usable = form.model is not None and not problems
    if form.model is not None:
        lints = islice(_lints(form, path, problems), MOST_PROBLEMS)
        problems.extend(_problems(lints, document, path, Weight.LINT))
    kept = sorted(problems, key=lambda each: each.severity)[:MOST_PROBLEMS]  # errors before lints
    ordered = tuple(sorted(kept, key=lambda each: (each.line, each.column, each.severity)))
    return converted(form.model, path) if usable and form.model is not None else None, ordered


def _misfits(form: Shaped, document: Document) -> Iterator[Complaint]:
    assert form.model is not None
    names = Names(form)
    mistakes = [*(each.path for each in form.complaints), *(each.path for each in document.faults)]
    spoilt = Spoilt.by([*mistakes, *form.gaps])
    for each in CHECKS:
        for found in _placed(form, each(form.model, names)):
            if not form.invented(found.path) and not spoilt.explains(found):
                yield found


def _lints(form: Shaped, path: Path, problems: Iterable[Problem]) -> Iterator[Complaint]:
    """Lints of parts without errors: what a part seems to lack may be what is wrong in it."""
    assert form.model is not None
    places = [each.path for each in problems]
    parts = {place[:size] for place in places for size in (1, 2)}
    spoilt = Spoilt.by([*places, *form.gaps])
    for lint in LINTS:
        for complaint in _placed(form, lint(form.model, path.absolute().parent)):
            told = complaint.path[:2] not in parts and not (len(complaint.path) == 1 and () in parts)
            told = told and not form.invented(complaint.path)
            if told and not spoilt.explains(complaint):
                yield complaint


def _placed(form: Shaped, complaints: Iterable[Complaint]) -> Iterator[Complaint]:
    return (replace(each, path=form.original(each.path)) for each in complaints)


def _problems(complaints: Iterable[Complaint], document: Document, path: Path, severity: Weight) -> Iterator[Problem]:
    for each in dict.fromkeys(complaints):
        mark = document.mark(each.path, each.on_key)
        yield Problem(str(path), mark.line, mark.column, each.path, each.message, severity)
