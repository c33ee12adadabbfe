"""Parameters of COrALTransformer: rules, names of modalities, nested specs, HTML."""

import pytest
from helpers import FILM, exactly, is_fitted, learnt, make_coral, make_frame
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from skorch.callbacks import EpochTimer

from skcoral import TabularModality, TextModality


@pytest.mark.parametrize(
    ("params", "rule"),
    [
        ({"temperature": 0}, "'temperature' {} a float in the range (0.0, inf). Got 0"),
        ({"lr": -1.0}, "'lr' {} a float in the range (0.0, inf). Got -1.0"),
        ({"embed_dim": 0}, "'embed_dim' {} an int in the range [1, inf). Got 0"),
        ({"embed_dim": 8.0}, "'embed_dim' {} an int in the range [1, inf). Got 8.0"),
        ({"dropout": 1}, "'dropout' {} a float in the range [0.0, 1.0). Got 1"),
        ({"batch_size": 0}, "'batch_size' {} an int in the range [2, inf). Got 0"),
        ({"n_layers": 0}, "'n_layers' {} an int in the range [1, inf). Got 0"),
        ({"lr": 10**400}, f"'lr' {{}} a float in the range (0.0, inf). Got {10**400}"),
        (
            {"ortho_weight": -1},
            "'ortho_weight' {} a float in the range [0.0, inf). Got -1",
        ),
        (
            {"validation_fraction": 1.0},
            "'validation_fraction' {} a float in the range (0.0, 1.0). Got 1.0",
        ),
        ({"embed_dim": 10}, "'embed_dim' {} a multiple of 'n_heads' (now 4). Got 10"),
        ({"device": 0}, "'device' {} an instance of 'str'. Got 0"),
        (
            {"mask_ratio": [0.5, 2]},
            "'mask_ratio' {} a float in the range [0.0, 1.0] or a non-empty sequence "
            "of them. Got [0.5, 2]",
        ),
        (
            {"mask_ratio": []},
            "'mask_ratio' {} a float in the range [0.0, 1.0] or a non-empty sequence "
            "of them. Got []",
        ),
    ],
)
def test_bad_parameter_is_named_with_rule_and_value(params, rule):
    rule = rule.replace(" {}", " parameter of COrALTransformer must be")
    coral = make_coral(**params)
    with pytest.raises(ValueError, match=exactly(f"The {rule} instead.")):
        coral.fit(make_frame())
    assert not is_fitted(coral)


@pytest.mark.parametrize("name", ["output", "mask_mode", "orthogonality"])
def test_unknown_word_lists_the_known_ones(name):
    message = (
        rf"^The '{name}' parameter of COrALTransformer must be a str among \{{'.*'\}}. "
        r"Got 'nonsense' instead\.$"
    )
    with pytest.raises(ValueError, match=message):
        make_coral(**{name: "nonsense"}).fit(make_frame())


def test_a_device_without_values_is_refused():
    with pytest.raises(ValueError, match=r"^The 'device' parameter .*Got 'meta'"):
        make_coral(FILM, device="meta").fit(make_frame())


def test_unknown_device_names_the_parameter():
    with pytest.raises(ValueError, match="The 'device' parameter of COrALTransformer"):
        make_coral(device="nonsense").fit(make_frame())


MODALITIES = "The 'modalities' parameter of COrALTransformer must "


@pytest.mark.parametrize(
    ("modalities", "rule"),
    [
        (
            [],
            "be 'auto' or a non-empty list of (name, spec, columns). Got [] instead.",
        ),
        (
            [("film", "tabular")],
            "be made of (name, spec, columns). Got ('film', 'tabular') instead.",
        ),
        (["film"], "be made of (name, spec, columns). Got 'film' instead."),
        ([(1, "tabular", [0])], "have str names. Got 1 instead."),
        ([("", "tabular", [0])], "have str names. Got '' instead."),
        (
            [("shared", "tabular", ["year"])],
            "not name a modality 'shared': it is the component that all modalities "
            "share. Got 'shared' instead.",
        ),
        (
            [("film", "tabluar", ["year"])],
            "have specs that are modality instances or among ['embedding', 'image', "
            "'sequence', 'tabular', 'text']. Got 'tabluar' for 'film' instead.",
        ),
        (
            [("film", None, ["year"])],
            "have specs that are modality instances or among ['embedding', 'image', "
            "'sequence', 'tabular', 'text']. Got None for 'film' instead.",
        ),
    ],
)
def test_bad_modalities_are_named_with_rule_and_value(modalities, rule):
    coral = make_coral(modalities)
    with pytest.raises(ValueError, match=exactly(MODALITIES + rule)):
        coral.fit(make_frame())
    assert not is_fitted(coral)


def test_class_as_spec_is_refused_by_the_parameter_name():
    message = (
        "have specs that are modality instances or among ['embedding', 'image', "
        "'sequence', 'tabular', 'text']. Got <class "
        "'skcoral.modalities.tabular.TabularModality'> for 'film' instead."
    )
    with pytest.raises((TypeError, ValueError), match=exactly(MODALITIES + message)):
        make_coral([("film", TabularModality, ["year"])]).fit(make_frame())


def test_modalities_of_another_type_are_refused():
    message = (
        r"^The 'modalities' parameter of COrALTransformer must be a str among "
        r"\{'auto'\}, an instance of 'list' or an instance of 'tuple'\. Got 3 "
        r"instead\.$"
    )
    with pytest.raises(ValueError, match=message):
        make_coral(3).fit(make_frame())


def test_duplicate_names_are_refused():
    modalities = [("film", "tabular", ["year"]), ("film", "tabular", ["runtime"])]
    with pytest.raises(
        ValueError, match=exactly("Names provided are not unique: ['film', 'film']")
    ):
        make_coral(modalities).fit(make_frame())


@pytest.mark.parametrize("name", ["lr", "modalities", "random_state"])
def test_names_of_parameters_are_refused(name):
    message = f"Estimator names conflict with constructor arguments: ['{name}']"
    with pytest.raises(ValueError, match=exactly(message)):
        make_coral([(name, "tabular", ["year"])]).fit(make_frame())


def test_double_underscore_in_a_name_is_refused():
    message = "Estimator names must not contain __: got ['film__x']"
    with pytest.raises(ValueError, match=exactly(message)):
        make_coral([("film__x", "tabular", ["year"])]).fit(make_frame())


def test_tuple_of_modalities_is_allowed():
    assert make_coral(tuple(FILM)).fit(make_frame()).transform(make_frame()).size


def test_nested_parameters_reach_the_spec():
    coral = make_coral([*FILM, ("credits", TextModality(), "credits")])
    coral.set_params(credits__n_tokens=3)
    assert coral.get_params()["credits__n_tokens"] == 3
    assert coral.fit(make_frame()).modalities_[1][1].n_tokens == 3


def test_a_word_becomes_an_instance_when_its_parameter_is_set():
    given = [("film", "tabular", ["year"]), ("credits", "text", "credits")]
    coral = make_coral(given).set_params(film__corruption_rate=0.3)
    assert given[0][1] == "tabular"
    assert coral.get_params()["film__corruption_rate"] == 0.3
    assert [type(spec) for _, spec, _ in coral.modalities] == [TabularModality, str]
    assert clone(coral).get_params()["film__corruption_rate"] == 0.3
    coral.set_params(film="text", film__n_tokens=3)
    assert coral.get_params()["film__n_tokens"] == 3


def test_parameters_of_words_can_be_searched():
    grid = {"film__corruption_rate": [0.25, 0.75], "film__max_categories": [5]}
    search = GridSearchCV(make_coral(FILM), grid, cv=2, error_score="raise")
    best = search.fit(make_frame()).best_estimator_
    (spec,) = (spec for _, spec, _ in best.modalities_)
    assert spec.corruption_rate == search.best_params_["film__corruption_rate"]
    assert spec.max_categories == 5


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("film__nothing", "Invalid parameter 'nothing' for estimator TabularModality"),
        ("year__corruption_rate", "Invalid parameter 'year' for estimator COrALTr"),
    ],
)
def test_unknown_nested_parameters_are_refused(name, message):
    with pytest.raises(ValueError, match=message):
        make_coral(FILM).set_params(**{name: 1})


@pytest.mark.parametrize("spec", ["tabulr", None])
def test_parameters_of_no_kind_are_refused(spec):
    coral = make_coral([("film", spec, ["year"])])
    message = rf"must have specs that are .* among .*Got {spec!r} for 'film' instead\."
    with pytest.raises(ValueError, match=message):
        coral.set_params(film__corruption_rate=0.3)


def test_a_batch_may_be_larger_than_any_table():
    whole = make_coral(FILM, batch_size=len(make_frame())).fit(make_frame())
    vast = make_coral(FILM, batch_size=10**30).fit(make_frame())
    assert vast.loss_curve_ == whole.loss_curve_


@pytest.mark.parametrize("names", [3, iter("ab"), [["a"], ["b"]], {"a": 1}])
def test_names_of_features_that_are_no_list_are_refused(names):
    coral = make_coral(FILM).fit(make_frame())
    message = f"input_features must be a list of names. Got {type(names).__name__!r}."
    with pytest.raises(ValueError, match=exactly(message)):
        coral.get_feature_names_out(names)


@pytest.mark.parametrize("item", ["x", None, int, ("a", "b"), (1, EpochTimer())])
def test_callbacks_that_are_none_are_refused(item):
    coral = make_coral(FILM, callbacks=[EpochTimer(), item])
    message = (
        "The 'callbacks' parameter of COrALTransformer must be a list of skorch "
        f"callbacks, alone or as (name, callback). Got {item!r} instead."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        coral.fit(make_frame())
    assert learnt(coral) == []


@pytest.mark.parametrize("item", [EpochTimer, EpochTimer(), ("mine", EpochTimer())])
def test_callbacks_in_the_forms_of_skorch_are_taken(item):
    assert is_fitted(make_coral(FILM, callbacks=[item]).fit(make_frame()))


def test_nested_parameters_of_a_spec_are_cloned_with_the_estimator():
    coral = make_coral([("credits", TextModality(), "credits")])
    twin = clone(coral).set_params(credits__n_tokens=3)
    assert coral.get_params()["credits__n_tokens"] is None
    assert twin.get_params()["credits__n_tokens"] == 3


def test_spec_can_be_replaced_by_name():
    coral = make_coral([("credits", TextModality(), "credits")])
    coral.set_params(credits=TextModality(n_tokens=2))
    assert coral.modalities[0][1].n_tokens == 2
    assert coral.modalities[0][2] == "credits"


def test_fit_leaves_the_given_specs_alone():
    spec = TabularModality()
    coral = make_coral([("film", spec, ["year"])]).fit(make_frame())
    assert not is_fitted(spec)
    assert spec.random_state is None
    assert coral.modalities_[0][1] is not spec


@pytest.mark.parametrize("fitted", [False, True])
def test_html_shows_the_modalities(fitted):
    coral = make_coral([*FILM, ("credits", TextModality(n_tokens=5), "credits")])
    html = (coral.fit(make_frame()) if fitted else coral)._repr_html_()
    assert "film" in html
    assert "credits" in html
    assert "TextModality" in html


def test_html_shows_what_auto_chose():
    coral = make_coral()
    assert "TextModality" not in coral._repr_html_()
    assert "TextModality" in coral.fit(make_frame())._repr_html_()
