"""Generators of our own: what draws from them, and what they leave alone."""

import pytest
import torch
from torch import nn

from skcoral._generators import DrawFrom, Generators, draw_uniform, drawing_from


def seed(value):
    return torch.Generator().manual_seed(value)


def make_layers():
    """Return layers of many kinds, whose weights torch draws."""
    return nn.Sequential(
        nn.Linear(3, 4),
        nn.Conv2d(1, 2, 3),
        nn.Embedding(5, 6),
        nn.GRU(3, 4, num_layers=2),
        nn.Bilinear(2, 3, 4),
        nn.TransformerEncoderLayer(8, 2),
    ).state_dict()


def are_equal(first, second):
    return all(torch.equal(first[name], second[name]) for name in first)


def test_layers_start_as_if_torch_had_been_seeded():
    torch.manual_seed(0)
    expected = make_layers()
    state = torch.get_rng_state()
    with DrawFrom(seed(0)):
        drawn = make_layers()
    assert are_equal(drawn, expected)
    assert torch.equal(torch.get_rng_state(), state)


def test_layers_start_the_same_whatever_the_default_type_is(float64):
    with DrawFrom(seed(0)):
        drawn = make_layers()
    torch.set_default_dtype(torch.float32)
    with DrawFrom(seed(0)):
        assert are_equal(drawn, make_layers())


DRAWS = {
    "rand": lambda: torch.rand(3),
    "randn": lambda: torch.randn(2, 3),
    "randint": lambda: torch.randint(1000, (3,)),
    "randperm": lambda: torch.randperm(20),
    "rand_like": lambda: torch.rand_like(torch.zeros(3)),
    "randn_like": lambda: torch.randn_like(torch.zeros(3)),
    "normal": lambda: torch.normal(torch.zeros(3), torch.ones(3)),
    "bernoulli": lambda: torch.bernoulli(torch.full((40,), 0.5)),
    "multinomial": lambda: torch.full((40,), 0.5).multinomial(8),
    "in place": lambda: torch.empty(3).uniform_() + torch.empty(3).exponential_(),
    "init": lambda: nn.init.xavier_normal_(torch.empty(3, 3)),
    "uniform": lambda: torch.distributions.Uniform(0.0, 1.0).sample((3,)),
    "beta": lambda: torch.distributions.Beta(2.0, 3.0).sample((3,)),
    "gamma": lambda: torch.distributions.Gamma(2.0, 3.0).sample((3,)),
}


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS)
def test_code_without_generators_draws_from_ours(draw):
    drawn = []
    for value, default in ((0, 5), (0, 6), (1, 5)):
        torch.manual_seed(default)
        state = torch.get_rng_state()
        with drawing_from(seed(value)):
            drawn.append(draw())
        assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])


def test_an_explicit_generator_is_kept():
    with DrawFrom(seed(0)):
        drawn = torch.rand(3, generator=seed(1))
    assert torch.equal(drawn, torch.rand(3, generator=seed(1)))


def test_without_a_generator_torch_draws_as_ever():
    torch.manual_seed(3)
    with drawing_from(None):
        drawn = torch.rand(3)
    torch.manual_seed(3)
    assert torch.equal(drawn, torch.rand(3))


def test_states_continue_exactly():
    first, second = Generators(0), Generators(1)
    torch.rand(5, generator=first.device)
    second.set_state(first.get_state())
    numbers = [draw_uniform((4,), "cpu", g.device) for g in (first, second)]
    assert torch.equal(*numbers)


def test_uniform_numbers_do_not_depend_on_the_default_type(float64):
    drawn = draw_uniform((3,), "cpu", seed(0))
    assert torch.equal(drawn, torch.rand(3, generator=seed(0), dtype=torch.float32))
