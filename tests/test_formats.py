"""Files of former versions: they are read, and give the features they gave then.

``python tests/test_formats.py`` writes the files of the present format again, which is
right as long as it has not been released; later they stay as they are.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from skorch.helper import SliceDict

from skcoral import COrALClassifier, COrALTransformer, load, persistence, save

FOLDER = Path(__file__).parent / "data"
FORMATS = [1]
TINY = {"embed_dim": 4, "n_heads": 2, "head_dim": 4, "head_hidden_dim": 4}
N_ROWS = 24


def make_rows():
    """Return rows with a table, a text, a series and sparse vectors, with gaps."""
    rows = np.arange(N_ROWS)
    table = pd.DataFrame(
        {
            "year": np.where(rows % 7, 1950 + 3.0 * rows, np.nan),
            "rating": np.resize(["G", "PG", "R", None], N_ROWS),
            "seen": rows % 3 == 0,
            "released": pd.date_range("2020-01-01", periods=N_ROWS, freq="17h"),
        }
    )
    words = np.array(["red car", "blue car", "green sea", "blue sea", None], object)
    waves = np.sin(rows[:, None, None] + np.arange(5)[:, None] * [1.0, 0.5])
    vectors = sparse.csr_matrix(np.maximum(np.cos(rows[:, None] * np.arange(1, 6)), 0))
    return SliceDict(
        table=table, text=np.resize(words, N_ROWS), series=waves, vectors=vectors
    )


def make_models():
    """Return fitted estimators by name, each with two of the kinds."""
    params = {"max_epochs": 2, "random_state": 0, **TINY}
    y = np.where(np.arange(N_ROWS) < 12, np.arange(N_ROWS) % 3, -1)
    kinds = ("tabular", "text", "sequence", "embedding")
    modalities = [(k, kind, k) for k, kind in zip(make_rows(), kinds, strict=True)]
    return {
        "transformer": COrALTransformer(modalities[:2], **params).fit(make_rows()),
        "classifier": COrALClassifier(modalities[2:], **params).fit(make_rows(), y),
    }


def describe(models):
    """Return features and probabilities of the rows."""
    X = make_rows()
    return {
        "features": models["transformer"].transform(X),
        "probabilities": models["classifier"].predict_proba(X),
    }


def find_files(number):
    return {
        name: FOLDER / f"format_{number}_{name}.skcoral"
        for name in ("transformer", "classifier")
    }


def write():
    """Write files of the present format, and what their estimators say."""
    FOLDER.mkdir(exist_ok=True)
    models = make_models()
    for name, path in find_files(persistence.FORMAT).items():
        save(models[name], path)
    said = {name: values.tolist() for name, values in describe(models).items()}
    (FOLDER / f"format_{persistence.FORMAT}.json").write_text(json.dumps(said))


def test_the_present_format_has_files():
    assert FORMATS[-1] == persistence.FORMAT


# Where this is not the scikit-learn that wrote them.
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.InconsistentVersionWarning")
@pytest.mark.parametrize("number", FORMATS)
def test_files_of_a_format_say_what_they_said(number):
    files = find_files(number)
    assert all(path.stat().st_size < 120_000 for path in files.values())
    said = json.loads((FOLDER / f"format_{number}.json").read_text())
    now = describe({name: load(path) for name, path in files.items()})
    for name, values in now.items():
        # Machines round differently.
        np.testing.assert_allclose(values, said[name], atol=1e-5)
    assert np.ptp(now["features"], axis=0).min() > 0.01


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.InconsistentVersionWarning")
def test_a_file_of_a_format_fits_again():
    transformer = load(find_files(FORMATS[0])["transformer"])
    assert transformer.fit(make_rows()).transform(make_rows()).shape == (N_ROWS, 8)


if __name__ == "__main__":
    write()
