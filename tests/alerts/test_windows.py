"""Which findings a maintenance window covers."""

import pytest

from alerts.windows import covers, muted_by
from anycast.finding import Kind
from anycast.intent import Window
from tests.alerts.samples import at, finding


def window(name: str = "patch", start: float = 0, end: float = 100, **matchers: tuple[str, ...]) -> Window:
    return Window(name, at(start), at(end), **matchers)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("matchers", "covered"),
    [
        ({}, True),
        ({"services": ("web",)}, True),
        ({"services": ("dns",)}, False),
        ({"services": ("dns", "web"), "regions": ("weu",)}, True),
        ({"services": ("web",), "regions": ("eus",)}, False),
        ({"sites": ("ams",)}, False),
        ({"kinds": (Kind.MISSING,)}, True),
        ({"kinds": (Kind.BLIND,)}, False),
    ],
)
def test_every_matcher_that_is_given_must_match(matchers: dict[str, tuple[str, ...]], covered: bool) -> None:
    assert covers(Window("patch", at(0), at(100), **matchers), finding()) is covered  # type: ignore[arg-type]


def test_a_site_is_matched_by_name() -> None:
    assert covers(window(sites=("ams",)), finding(site="ams"))


@pytest.mark.parametrize(("second", "name"), [(-0.1, None), (0, "patch"), (99.9, "patch"), (100, None)])
def test_a_window_holds_from_its_start_up_to_its_end(second: float, name: str | None) -> None:
    assert muted_by(finding(), [window()], at(second)) == name


def test_the_first_window_that_covers_names_the_muting() -> None:
    assert muted_by(finding(), [window("other", regions=("eus",)), window("a"), window("b")], at(1)) == "a"


@pytest.mark.parametrize("kind", [Kind.UNEXPECTED_ORIGIN, Kind.MORE_SPECIFIC])
def test_security_kinds_are_never_covered_not_even_by_name(kind: Kind) -> None:
    assert not covers(window(kinds=(kind,)), finding(kind=kind))
