"""Hostile input: tables, labels and parameters, drawn at random, end in words.

``SKCORAL_FUZZ_CASES=10000 pytest -s tests/hostile`` runs more cases and prints how
many had which outcome.
"""

import os
from collections import Counter

from hostile.cases import draw_case
from hostile.outcomes import FAULTS, run
from hypothesis import HealthCheck, Phase, given, settings

N_CASES = int(os.environ.get("SKCORAL_FUZZ_CASES", 150))


def test_no_case_is_a_fault(tmp_path):
    outcomes, faults = Counter(), {}

    # Faults are counted, not raised one by one: so there is nothing to shrink.
    @settings(
        max_examples=N_CASES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(draw_case())
    def count(case):
        outcome, detail = run(case, tmp_path)
        outcomes[outcome] += 1
        if outcome in FAULTS:
            faults.setdefault((outcome, detail), []).append(case)

    count()
    print(*(f"\n{n:8} {outcome}" for outcome, n in outcomes.most_common()))
    report = [
        f"{len(cases)} x {outcome}: {detail}\n    {min(cases, key=_measure)}"
        for (outcome, detail), cases in faults.items()
    ]
    assert not report, "\n".join(report)


def _measure(case):
    return len(str(case))
