"""The story of the demo: what happens when, and what to look at. The live lab acts it; the recording is of it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """One moment. `at` is in seconds of a story of 120."""

    at: float
    say: str
    verb: str | None = None
    """The fault to make; `heal` undoes what was made before; None only speaks."""
    arguments: tuple[str, ...] = ()


LENGTH = 120.0
STORY: tuple[Step, ...] = (
    Step(0, "Healthy: both regions advertise web (10.250.0.10/32). ams lands on weu, nyc on both by ECMP."),
    Step(12, "weu withdraws web on both of its NVAs. ams must fail over to eus.", "withdraw", ("weu", "web")),
    Step(34, "weu advertises web again: findings clear, with how long it took.", "heal"),
    Step(52, "A router at nyc, AS 65999, advertises web as its own: a hijack.", "hijack"),
    Step(70, "The hijack ends.", "heal"),
    Step(
        84,
        "The BMP feed of ams-ce1 is cut: its routes are unknown, not missing. Only that is told.",
        "cut-bmp",
        ("--reset", "ams-ce1"),
    ),
    Step(106, "The feed returns; the whole table is sent again, and nothing is told twice.", "heal"),
    Step(118, "That was it."),
)
