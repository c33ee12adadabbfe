"""Random generators: every draw comes from one of ours, never from torch's global ones.

Global generators belong to the process: seeding them, even for a moment, would let
training in one thread change the numbers of another, and those of the caller.
"""

import contextlib
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

# Functions of torch that draw, and those that make tensors of a default type and place.
RANDOM_FACTORIES = {torch.rand, torch.randn, torch.randint, torch.randperm}
FACTORIES = {torch.empty, torch.zeros, torch.ones, torch.full, torch.rand, torch.randn}
LIKE = {torch.rand_like: Tensor.uniform_, torch.randn_like: Tensor.normal_}
DRAWS = {
    *RANDOM_FACTORIES,
    torch.normal,
    torch.bernoulli,
    torch.multinomial,
    torch.poisson,
    torch._sample_dirichlet,
    torch._standard_gamma,
    Tensor.uniform_,
    Tensor.normal_,
    Tensor.bernoulli,
    Tensor.bernoulli_,
    Tensor.multinomial,
    Tensor.random_,
    Tensor.exponential_,
    Tensor.log_normal_,
    Tensor.cauchy_,
    Tensor.geometric_,
    *(
        function
        for function in vars(nn.init).values()
        if inspect.isfunction(function)
        and "generator" in inspect.signature(function).parameters
    ),
}


class Generators:
    """The generators of one training: one on the CPU, and one on the device.

    On the CPU they are the same.

    Parameters
    ----------
    seed : int
        The seed of both.

    device : str, default="cpu"
        A torch device.

    Attributes
    ----------
    cpu, device : torch.Generator
        The generators.
    """

    def __init__(self, seed: int, device: str = "cpu") -> None:
        self.cpu = torch.Generator().manual_seed(seed)
        self.device = self.cpu
        if torch.device(device).type != "cpu":
            self.device = torch.Generator(device).manual_seed(seed)

    def get_state(self) -> list[Tensor]:
        """Return the states of both generators, as tensors of bytes on the CPU."""
        return [self.cpu.get_state(), self.device.get_state()]

    def set_state(self, states: Sequence[Tensor]) -> None:
        """Continue from states that `get_state` returned."""
        for generator, state in zip((self.cpu, self.device), states, strict=True):
            generator.set_state(state)


class DrawFrom(TorchFunctionMode):
    """Let code that takes no generator, such as torch's layers, draw from one of ours.

    A context, which concerns the current thread only. Within it, new tensors without a
    type are float32 and without a device on the CPU, whatever torch's defaults are, so
    that these do not change what is drawn. Every call of a torch function costs about a
    microsecond more: training steps pass generators instead.

    Parameters
    ----------
    generator : torch.Generator
        The generator, on the device of the tensors that are drawn.
    """

    def __init__(self, generator: torch.Generator) -> None:
        super().__init__()
        self.generator = generator

    def __torch_function__(
        self, func: Callable, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        """Call a torch function with the generator, if it draws."""
        kwargs = dict(kwargs or {})
        if func in LIKE:
            return LIKE[func](torch.empty_like(*args, **kwargs), **self._own)
        if func in FACTORIES:
            _set_default(kwargs, "dtype", torch.float32)
        if func in FACTORIES | RANDOM_FACTORIES:
            _set_default(kwargs, "device", self.generator.device)
        if func in DRAWS:
            _set_default(kwargs, "generator", self.generator)
        return func(*args, **kwargs)

    @property
    def _own(self) -> dict[str, torch.Generator]:
        return {"generator": self.generator}


def _set_default(kwargs: dict[str, Any], name: str, value: Any) -> None:
    """Set an argument that is absent or None."""
    if kwargs.get(name) is None:
        kwargs[name] = value


def drawing_from(generator: torch.Generator | None) -> Any:
    """Return `DrawFrom`, or a context that does nothing if there is no generator."""
    return contextlib.nullcontext() if generator is None else DrawFrom(generator)


def draw_uniform(
    shape: Sequence[int],
    device: torch.device | str,
    generator: torch.Generator | None,
) -> Tensor:
    """Return float32 numbers in [0, 1), whatever torch's default type is."""
    return torch.rand(shape, dtype=torch.float32, device=device, generator=generator)


def derive_seed(seed: int, n_epochs: int) -> int:
    """Return the seed for training that continues after some epochs.

    Each continuation draws new numbers, which are the same in every run.
    """
    return int(np.random.SeedSequence([seed, n_epochs]).generate_state(1)[0])
