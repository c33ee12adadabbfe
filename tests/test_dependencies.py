"""The lower bounds of setup.cfg are what continuous integration calls the oldest."""

import configparser
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
REQUIREMENT = re.compile(r"^([\w-]+)>=([\w.]+)$", re.MULTILINE)
PIN = re.compile(r"^([\w-]+)==([\w.]+)$", re.MULTILINE)


def read_bounds():
    """Return lower bounds by section: what users install, and each extra."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    sections = {"": config["options"]["install_requires"]}
    sections |= config["options.extras_require"]
    return {name: dict(REQUIREMENT.findall(text)) for name, text in sections.items()}


def read_pins(path):
    """Return the pinned versions of a file of constraints."""
    return dict(PIN.findall((ROOT / path).read_text("utf-8")))


def test_oldest_versions_are_the_lower_bounds():
    pins = read_pins(".ci/oldest.txt")
    bounds = read_bounds()
    del bounds["dev"]
    for section in bounds.values():
        assert section.items() <= pins.items()


def test_constraints_keep_the_lower_bounds():
    pins = read_pins("constraints.txt")
    for section in read_bounds().values():
        for name in section.keys() & pins.keys():
            assert split(pins[name]) >= split(section[name]), name


def split(version):
    """Return the numbers of a version."""
    return [int(part) for part in version.split(".")]


def test_every_requirement_has_a_lower_bound():
    text = (ROOT / "setup.cfg").read_text("utf-8")
    options = text.partition("install_requires =")[2]
    lines = re.findall(r"^    ([a-z].*)$", options, re.MULTILINE)
    requirements = [
        line for line in lines if not line.startswith(("skcoral", "data/", "py."))
    ]
    assert all(REQUIREMENT.match(line) for line in requirements)
