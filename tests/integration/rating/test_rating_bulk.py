"""Many households at once: the counts are exact, and the same again changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.ratings import COUNTY, OTHER_VILLAGE, VILLAGE, indicators

if TYPE_CHECKING:
    from tests.support.ratings import RatingCounty

HOUSEHOLDS = 800
POINTS = (55, 65, 80, 95)
"""Below the weakest grade, and one of each grade."""


def test_many_households_are_rated_to_the_last_one(county: RatingCounty):
    """A quarter falls under the lowest band; the others are moved step by step, all of them at once."""
    rows = [
        indicators(
            f"H{number:05}",
            "credit={0};income={0};labour={0}".format(POINTS[number % 4]),
            village=VILLAGE if number % 8 < 4 else OTHER_VILLAGE,
            applicant_age=20 + number % 40,
        )
        for number in range(HOUSEHOLDS)
    ]
    assert county.collect(rows, member="TOWN1")["changed"] == HOUSEHOLDS
    assert county.collect(rows, member="TOWN1", number=1)["unchanged"] == HOUSEHOLDS
    quarter, rated = HOUSEHOLDS // 4, HOUSEHOLDS * 3 // 4
    county.file_groups()
    assert county.step("VILL1", "village_review", rated // 2) is None
    assert county.step("VILL2", "village_review", rated // 2) is None
    assert county.step("TOWN1", "township_review", rated) is None
    assert county.step(COUNTY, "county_review", rated) is None
    assert county.post(rated, region=COUNTY) is None
    county.run_calendar(7)
    counts = county.rows(
        "SELECT state, grade, line::text, count(*) AS n FROM rating.assessment GROUP BY 1, 2, 3 ORDER BY 2"
    )
    assert [tuple(row.values()) for row in counts] == [
        ("active", "A", "30000.00", quarter),
        ("active", "AA", "40000.00", quarter),
        ("active", "AAA", "50000.00", quarter),
        ("refused", None, None, quarter),
    ]
    assert len(county.told) == rated
