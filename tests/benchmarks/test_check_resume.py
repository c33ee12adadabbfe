"""The script that kills trainings."""

import re

import check_resume
from sklearn.preprocessing import FunctionTransformer


def test_killed_trainings_go_on(capfd):
    assert check_resume.main(["--kills", "2"]) == 0
    rounds = capfd.readouterr().out.splitlines()
    assert len(re.findall("equal True", "\n".join(rounds))) == 2
    assert rounds[-1] == "2 of 2 equal, 2 lost at most one epoch"


def fit_at_once(X, y):
    return FunctionTransformer().fit(X["m0"])


def test_a_training_that_does_not_go_on_is_counted(capfd, monkeypatch):
    monkeypatch.setattr(check_resume, "kill_and_resume", lambda *_: (5, 2, False))
    monkeypatch.setattr(check_resume, "CASES", [fit_at_once])
    assert check_resume.main(["--kills", "1"]) == 1
    assert capfd.readouterr().out.endswith("0 of 1 equal, 0 lost at most one epoch\n")
