"""The story at another pace."""

from lab.story import LENGTH, STORY, Step


def scaled(seconds: float) -> tuple[Step, ...]:
    """The story, told in about `seconds`; hold times of routers do not shrink with it."""
    factor = seconds / LENGTH
    return tuple(Step(step.at * factor, step.say, step.verb, step.arguments) for step in STORY)
