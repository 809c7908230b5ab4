"""One line a figure, for people and for scripts."""


def figure(name: str, value: float, goal: str = "") -> None:
    """Print `figure <name> <value> goal <op><value>`; without a goal, it is for information."""
    shown = f"{value:.0f}" if float(value).is_integer() else f"{value:.3g}"
    print(f"figure {name} {shown}" + (f" goal {goal}" if goal else ""), flush=True)
