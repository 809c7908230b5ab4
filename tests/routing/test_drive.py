"""Drives: every stop once, no more on the vehicle than fits, each hour and gram accounted for."""

from hypothesis import given, settings

from routing.drive import Call, Ground, Price, drive, insertion, price
from tests.routing.driving import check, idled_s, mornings, rides


@settings(max_examples=100, deadline=None)
@given(rides())
def test_a_drive_adds_up(ride: tuple[Ground, list[Call]]) -> None:
    ground, calls = ride
    check(ground, calls, drive(ground, calls))


@settings(max_examples=100, deadline=None)
@given(rides())
def test_a_price_is_that_of_the_drive(ride: tuple[Ground, list[Call]]) -> None:
    ground, calls = ride
    found, said = drive(ground, calls), price(ground, calls)
    assert (said.late_s, said.end_s, said.driven_s) == (found.late_s, found.seconds, found.driven_s)
    if found.late_s:
        assert price(ground, calls, most_late_s=found.late_s - 1).late_s >= found.late_s


@settings(max_examples=60, deadline=None)
@given(mornings())
def test_waiting_is_idle_if_another_stop_could_be_done_first(
    ride: tuple[Ground, list[Call]],
) -> None:
    ground, calls = ride
    assert price(ground, calls).idle_s == idled_s(ground, drive(ground, calls))


def test_what_counts_most_stands_first_in_a_price() -> None:
    seconds = [[0, 100, 200, 0], [100, 0, 100, 100], [200, 100, 0, 200], [0, 100, 200, 0]]
    ground = Ground(seconds, seconds, 60)
    closed, open_now = Call(1, 1, opens_s=3_600), Call(2, 1, closes_s=3_000)
    assert price(ground, [closed, open_now]) == Price(760, 4_020, 3_500, 400)
    assert price(ground, [open_now, closed]) == Price(0, 3_760, 0, 400)


@settings(max_examples=60, deadline=None)
@given(rides(most=6))
def test_an_insertion_is_the_best_place(ride: tuple[Ground, list[Call]]) -> None:
    ground, calls = ride
    if not calls:
        return
    *order, new = calls
    found = insertion(ground, order, new)
    before = drive(ground, order)
    tried = [drive(ground, [*order[:n], new, *order[n:]]) for n in range(len(order) + 1)]
    assert found.drive == tried[found.position]
    best = min((one.late_s, one.seconds) for one in tried)
    assert (found.drive.late_s, found.drive.seconds) == best
    assert found.added_m == found.drive.metres - before.metres
    assert found.added_s == found.drive.driven_s - before.driven_s
