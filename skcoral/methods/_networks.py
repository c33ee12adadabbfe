"""Which paths of the network the siblings build, and the outputs that are left."""

from skcoral._sklearn_compat import StrOptions
from skcoral.methods._checks import check_multiple

SHARED_OUTPUT = {"output": [StrOptions({"all", "shared"})]}
UNIQUE_OUTPUT = {"output": [StrOptions({"all", "unique"})]}


def without_shared(estimator, objective, names, params):
    """Return a method whose network has a path per modality only."""
    unique_dim = estimator._unique_dim
    network = {"embed_dim": estimator.embed_dim, "paths": ("unique",)}
    sizes = {"unique_dim": unique_dim}
    return objective, {"names": names, **sizes, **params}, network | sizes


def of_fusions(estimator, objective, names, params, **network):
    """Return a method whose network has a shared path, and what else it is given."""
    check_multiple(estimator, "embed_dim", "n_heads")
    sizes = {"embed_dim": estimator.embed_dim}
    network = sizes | estimator._pick("n_layers", "n_heads", "dropout") | network
    return objective, {"names": names, **sizes, **params}, network
