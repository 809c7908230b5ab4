"""Pictures: well-formed, to scale, everything on the sheet, nothing that could run."""

from xml.etree import ElementTree as Tree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.geo import Point
from routing.picture import DrawnRoute, DrawnStop, Words, draw

SVG = "{http://www.w3.org/2000/svg}"
WORDS = Words("Bank", "late", "left out", "load")
MEDAN = Point(3.55, 98.87)


def east(metres: float, *, of: Point = MEDAN) -> Point:
    return Point(of.lat, of.lon + metres / 111_195)


def stop(point: Point, number: int = 1, *, is_late: bool = False) -> DrawnStop:
    return DrawnStop(point, number, "08:00", 0.5, is_late)


def drawn(
    *routes: DrawnRoute, bank: Point = MEDAN, left_out: list[Point] | None = None
) -> Tree.Element:
    return Tree.fromstring(draw("Rute", bank, routes, WORDS, left_out or []))  # noqa: S314


def texts(sheet: Tree.Element) -> list[str]:
    return [element.text or "" for element in sheet.iter(f"{SVG}text")]


def test_every_stop_has_its_number_and_every_vehicle_its_colour() -> None:
    one = DrawnRoute("one", MEDAN, [[stop(east(500), 1), stop(east(900), 2)]])
    two = DrawnRoute("two", MEDAN, [[stop(east(-700), 1)], [stop(east(-300), 2)]])
    sheet = drawn(one, two)
    assert texts(sheet).count("1") == texts(sheet).count("2") == 2
    assert {"one", "two", "Bank"} <= set(texts(sheet))
    colours = {line.get("stroke") for line in sheet.iter(f"{SVG}line")}
    assert len(colours) == 2


def test_there_is_a_line_to_each_stop_and_home_after_each_trip() -> None:
    route = DrawnRoute("x", MEDAN, [[stop(east(500)), stop(east(900))], [stop(east(300))]])
    lines = [line for line in drawn(route).iter(f"{SVG}line") if line.get("stroke-opacity")]
    assert len(lines) == 3 + 2
    assert sum(line.get("stroke-dasharray") is not None for line in lines) == 2


def test_the_line_is_thicker_with_a_load() -> None:
    full = DrawnStop(east(500), 1, "", 1.0)
    route = DrawnRoute("x", MEDAN, [[full]])
    out, home = [line for line in drawn(route).iter(f"{SVG}line") if line.get("stroke-opacity")]
    assert float(home.get("stroke-width") or 0) > 3 * float(out.get("stroke-width") or 0)


def test_late_stops_and_those_left_out_are_marked_and_said() -> None:
    calm = drawn(DrawnRoute("x", MEDAN, [[stop(east(500))]]))
    assert not any("late" in text or "left out" in text for text in texts(calm))
    late = DrawnRoute("x", MEDAN, [[stop(east(500), is_late=True)]])
    sheet = drawn(late, left_out=[east(800)])
    assert any("late" in text and "left out" in text for text in texts(sheet))
    assert any(circle.get("stroke") == "#b00020" for circle in sheet.iter(f"{SVG}circle"))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.floats(-89, 89), st.floats(-180, 180)), max_size=8),
    st.tuples(st.floats(-89, 89), st.floats(-180, 180)),
)
def test_everything_is_on_the_sheet(
    places: list[tuple[float, float]], home: tuple[float, float]
) -> None:
    route = DrawnRoute("x", Point(*home), [[stop(Point(*place)) for place in places]])
    sheet = drawn(route, bank=Point(*home))
    for circle in sheet.iter(f"{SVG}circle"):
        assert 0 <= float(circle.get("cx") or -1) <= 960
        assert 0 <= float(circle.get("cy") or -1) <= 720


def test_a_route_across_180_degrees_is_drawn_in_one_piece() -> None:
    fiji = Point(-17.0, 179.999)
    sheet = drawn(DrawnRoute("x", fiji, [[stop(Point(-17.0, -179.999))]]), bank=fiji)
    bar = next(text for text in texts(sheet) if text.endswith(" m"))
    assert int(bar.split()[0]) <= 250


def test_as_far_across_as_up_is_as_long() -> None:
    north = Point(60.0 + 1_000 / 111_195, 24.0)
    across = Point(60.0, 24.0 + 2_000 / 111_195)
    sheet = drawn(
        DrawnRoute("x", Point(60.0, 24.0), [[stop(north), stop(across)]]), bank=Point(60.0, 24.0)
    )
    start, up, right = [
        (float(one.get("cx") or 0), float(one.get("cy") or 0)) for one in sheet.iter(f"{SVG}circle")
    ]
    assert start[1] - up[1] == pytest.approx(right[0] - start[0], rel=0.02)


def test_no_word_becomes_markup() -> None:
    evil = '</text><script>alert("1")</script>'
    sheet = draw(
        evil, MEDAN, [DrawnRoute(evil, MEDAN, [[DrawnStop(east(9), 1, evil, 0.1)]])], WORDS
    )
    assert "<script" not in sheet
    Tree.fromstring(sheet)  # noqa: S314


def test_nothing_to_draw_is_a_sheet_with_the_bank() -> None:
    assert "Bank" in texts(drawn())


def test_words_do_not_lie_on_one_another() -> None:
    crowd = [stop(east(500 + 2 * n), n) for n in range(1, 9)]
    sheet = drawn(DrawnRoute("x", MEDAN, [[*crowd, stop(east(900), 9)]]))
    assert texts(sheet).count("08:00") in (1, 2)
    assert all(str(n) in texts(sheet) for n in range(1, 10))


def test_stops_at_one_place_do_not_hide_each_other() -> None:
    there = [DrawnStop(east(500), number, f"{number} kg", 0.1) for number in (1, 2, 3)]
    far = DrawnStop(east(900), 4, "4 kg", 0.4)
    told = texts(drawn(DrawnRoute("x", MEDAN, [[*there, far]])))
    assert [text for text in told if text[0] in "134"] == ["1–3", "4", "3 kg", "4 kg"]
