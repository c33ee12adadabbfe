"""Texts of every language, emoji, tags and noise are cut into words that recur."""

import pickle
import time
import unicodedata
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from helpers import as_cells, exactly, make_coral
from sklearn.base import clone
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from skorch.helper import SliceDict

from skcoral import SequenceModality, TabularModality, TextModality
from skcoral.datasets import load_movies
from skcoral.modalities import _words
from skcoral.modalities._words import count_words, fold, split_pieces, split_words

# Words of two topics, and words of both. What separates them is the script's own.
LANGUAGES = {
    "Chinese": (
        "",
        "電影 導演 演員 喜劇 音樂",
        "足球 比賽 球隊 冠軍 教練",
        "今天 我們 非常 喜歡 一個",
    ),
    "Japanese": (
        "",
        "映画 監督 俳優 ドラマ 音楽",
        "サッカー 試合 チーム 優勝 選手",
        "今日は とても すごい それから みんな",
    ),
    "Thai": (
        "",
        "ภาพยนตร์ ผู้กำกับ นักแสดง ละคร ดนตรี",
        "ฟุตบอล แข่งขัน ทีม แชมป์ โค้ช",
        "วันนี้ เรา ชอบ มาก หนึ่ง",
    ),
    "Khmer": (
        "",
        "ភាពយន្ត អ្នកដឹកនាំ តារា ល្ខោន តន្ត្រី",
        "បាល់ទាត់ ប្រកួត ក្រុម ជើងឯក គ្រូ",
        "ថ្ងៃនេះ យើង ចូលចិត្ត ណាស់ មួយ",
    ),
    "Lao": (
        "",
        "ຮູບເງົາ ຜູ້ກຳກັບ ນັກສະແດງ ລະຄອນ ດົນຕີ",
        "ບານເຕະ ແຂ່ງຂັນ ທີມ ແຊ້ມ ຄູຝຶກ",
        "ມື້ນີ້ ພວກເຮົາ ມັກ ຫຼາຍ ຫນຶ່ງ",
    ),
    "Burmese": (
        "",
        "ရုပ်ရှင် ဒါရိုက်တာ သရုပ်ဆောင် ပြဇာတ် ဂီတ",
        "ဘောလုံး ပြိုင်ပွဲ အသင်း ချန်ပီယံ နည်းပြ",
        "ဒီနေ့ ကျွန်တော် ကြိုက် အရမ်း တစ်ခု",
    ),
    "Korean": (
        " ",
        "영화를 감독이 배우가 희극을 음악은",
        "축구를 경기가 팀이 우승을 코치는",
        "오늘은 우리는 아주 좋아한다 하나를",
    ),
    "Hindi": (
        " ",
        "फ़िल्म निर्देशक अभिनेता नाटक संगीत",
        "फ़ुटबॉल मैच टीम विजेता कोच",
        "आज हम बहुत पसंद एक",
    ),
    "Bengali": (
        " ",
        "চলচ্চিত্র পরিচালক অভিনেতা নাটক সঙ্গীত",
        "ফুটবল খেলা দল বিজয়ী প্রশিক্ষক",
        "আজ আমরা খুব পছন্দ একটি",
    ),
    "Tamil": (
        " ",
        "திரைப்படம் இயக்குனர் நடிகர் நாடகம் இசை",
        "கால்பந்து போட்டி அணி வெற்றி பயிற்சி",
        "இன்று நாங்கள் மிகவும் விருப்பம் ஒரு",
    ),
    "Arabic": (
        " ",
        "فِيلْم مُخْرِج مُمَثِّل دِرَامَا مُوسِيقَى",
        "كُرَة مُبَارَاة فَرِيق بُطُولَة مُدَرِّب",
        "اَلْيَوْم نَحْنُ جِدًّا نُحِبّ وَاحِد",
    ),
    "Hebrew": (
        " ",
        "סֶרֶט בַּמַּאי שַׂחְקָן דְּרָמָה מוּזִיקָה",
        "כַּדּוּרֶגֶל מִשְׂחָק קְבוּצָה אַלּוּף מְאַמֵּן",
        "הַיּוֹם אֲנַחְנוּ מְאוֹד אוֹהֲבִים אֶחָד",
    ),
    "joined Latin": (
        "",
        "movie director actor comedy music",
        "football match team champion coach",
        "today really great always nothing",
    ),
}


def compose(language, n_rows=240):
    """Return sentences about one of two topics, and the topics."""
    separator, *pools = LANGUAGES[language]
    pools = [pool.split() for pool in pools]
    rng = np.random.default_rng(0)
    topics = rng.integers(2, size=n_rows)
    texts = [
        separator.join(
            rng.permutation([*rng.choice(pools[t], 2), *rng.choice(pools[2], 4)])
        )
        for t in topics
    ]
    return np.array(texts, dtype=object), topics


def bag(ids, n_ids):
    """Return which ids each row has."""
    counts = np.zeros((len(ids), n_ids))
    counts[np.arange(len(ids))[:, None], ids] = 1
    counts[:, :2] = 0
    return counts


@pytest.mark.parametrize("language", LANGUAGES)
def test_new_texts_are_known_and_tell_their_topic(language):
    texts, topics = compose(language)
    spec = TextModality(random_state=0).fit(texts[:120])
    ids = spec.transform(texts)
    assert (ids[:, 0] > 1).all()
    bags = bag(ids, len(spec.token_vectors_))
    probe = make_pipeline(TfidfTransformer(), LogisticRegression(C=10))
    probe.fit(bags[:120], topics[:120])
    assert probe.score(bags[120:], topics[120:]) > 0.95


@pytest.mark.parametrize("language", LANGUAGES)
def test_new_texts_tell_their_topic_by_runs_of_letters(language):
    texts, topics = compose(language)
    spec = TextModality(tokenizer="ngrams", random_state=0).fit(texts[:120])
    vectors = spec.transform(texts)
    probe = LogisticRegression(C=0.1).fit(vectors[:120], topics[:120])
    assert probe.score(vectors[120:], topics[120:]) > 0.9


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("tokenizer", ["words", "subwords", "ngrams"])
def test_normal_forms_and_case_make_no_difference(language, tokenizer):
    texts, _ = compose(language, 40)
    spec = TextModality(tokenizer=tokenizer).fit(texts)
    expected = spec.transform(texts)
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        other = [unicodedata.normalize(form, text).upper() for text in texts]
        np.testing.assert_array_equal(spec.transform(np.array(other, object)), expected)


def test_auto_takes_sentences_of_every_language_for_text():
    for language in LANGUAGES.keys() - {"joined Latin"}:
        assert TextModality.claims(compose(language, 400)[0]), language


CODES = {
    "Chinese names": lambda i: "王李張劉陳"[i % 5] + chr(0x4E10 + i) + chr(0x5E10 + i),
    "Japanese names": lambda i: f"山{chr(0x4E10 + i)} 太{chr(0x5E10 + i)}",
    "Thai names": lambda i: f"สมชา{chr(0xE01 + i % 40)} ใจดี{chr(0xE01 + i // 40)}",
    "English names": lambda i: f"First{i} Last{i}",
    "postcodes": lambda i: f"SW{i} {i}AA",
    "UUIDs": lambda i: f"550e8400-e29b-41d4-a716-{i:012}",
    "paths": lambda i: f"folder/part_{i}/file.{i}.bin",
    "emoji": lambda i: chr(0x1F400 + i),
}


@pytest.mark.parametrize("kind", CODES)
def test_auto_takes_names_and_codes_for_categories(kind):
    assert not TextModality.claims(
        np.array([CODES[kind](i) for i in range(200)], object)
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a red car", "a|red|car"),
        ("C++, C# and R", "c++|c#|and|r"),
        ("18+ 1+1 snake_case", "18+|1|1|snake_case"),
        ("it's O'Brien's l'eau don\u2019t ['a']", "it|brien|eau|don|a"),
        ("iPhone 電影 2", "iphone|電影|2"),
        ("電影喜", "電影|影喜"),
        ("ボスニア・ヘル", "ボス|スニ|ニア|ヘル"),
        ("ผู้กำกับ", "ผู้กํ|กํา|ากั|กับ"),
        ("ปี ๒๕๖๐", "ปี|๒๕๖๐"),
        ("हिन्दी में", "हिन्दी|में"),
        ("שָׁלוֹם, עולם", "שָׁלוֹם|עולם"),
        ("می‌خواهم", "میخواهم"),
        ("co\xadoperate\u200b\ufeffnow", "cooperate|now"),
        (
            "\uff49\uff30\uff48\uff4f\uff4e\uff45 ﾊﾝｶｸ Straße STRASSE",
            "iphone|ハン|ンカ|カク|strasse|strasse",
        ),
        ("Kindle™ H₂O ﬁne", "kindle|h2o|fine"),
        ("👍🏽 ❤️ 🇩🇪🇫🇷 👨‍👩‍👧", "👍|🏽|❤|🇩🇪|🇫🇷|👨|👩|👧"),
        ("a\x00b\u200fc \ud800d", "a|bc|d"),
        ("! ? ... $$ ,", ""),
    ],
)
def test_words_of(text, words):
    assert split_words(text) == [
        unicodedata.normalize("NFKC", word) for word in words.split("|") if word
    ]


def test_english_words_are_those_of_scikit_learn_and_single_letters():
    texts = load_movies(target="genre", as_frame=True).data["text"].fillna("")[:2000]
    known = CountVectorizer().build_analyzer()
    plain = [
        text
        for text in texts
        if fold(text) == text.lower()
        and not any(map(unicodedata.combining, fold(text)))
    ]
    assert len(plain) > 1900
    for text in plain:
        assert [word for word in split_words(text) if len(word) > 1] == known(text)


def test_pieces_are_of_three_letters_and_tags_stay_whole():
    assert split_pieces("cars 電影喜 ab") == ["car", "ars", "電影", "影喜", "ab"]
    assert split_pieces(["Science fiction"]) == ["science fiction"]


def test_words_are_cut_only_where_texts_share_none():
    rng = np.random.default_rng(0)
    genes = np.array(["".join(rng.choice(list("ACGT"), 60)) for _ in range(50)], object)
    spec = TextModality().fit(genes)
    assert len(spec.vectorizer_.vocabulary_) == 64
    english = np.array(["red car", "red bike", "blue sky"], dtype=object)
    assert set(TextModality().fit(english).vectorizer_.vocabulary_) == {"red"}


@pytest.mark.parametrize(
    ("text", "n_words"),
    [
        ("", 0),
        ("one two - x", 4),
        ("電影喜劇", 2),
        ("ア" * 10, 2),
        ("ก" * 16 + " a", 3),
    ],
)
def test_words_are_counted_in_every_script(text, n_words):
    assert count_words(text) == pytest.approx(n_words)


# Noise

ENDLESS = {
    "letters": "a" * 100_000,
    "accents": "é" * 100_000,
    "Han": "電" * 100_000,
    "marks": "a" + "\u0301\u0327" * 100_000,
    "marks beyond": "a" + "\U0001d165\U0001d16d" * 100_000,
    "apostrophes": "é'" * 100_000,
    "pluses": "é+" * 100_000,
    "spaces": "é" + " " * 200_000,
    "surrogates": "x\ud800" * 100_000,
    "emoji": "👍" * 100_000,
    "nulls": "é\x00" * 100_000,
}


@pytest.mark.parametrize("kind", ENDLESS)
@pytest.mark.parametrize("tokenizer", ["words", "subwords"])
def test_endless_texts_are_read_in_linear_time(kind, tokenizer):
    texts = np.array([ENDLESS[kind], "one more", "one"], dtype=object)
    start = time.process_time()
    ids = TextModality(tokenizer=tokenizer).fit(texts).transform(texts)
    assert time.process_time() - start < 10
    assert (ids[:, 0] > 0).all()


def test_strings_of_numpy_are_texts():
    texts = np.array([np.str_("a car"), np.str_("電影"), ""], dtype=object)
    spec = TextModality().fit(texts)
    np.testing.assert_array_equal(
        spec.transform(np.array(["a car", "電影", ""])),
        spec.transform(texts),
    )


# Tags

TAGS = [
    ["Science Fiction", "drama"],
    ["drama"],
    [],
    None,
    ["science fiction", "C++"],
] * 4


CONTAINERS = {
    "lists": lambda tags: as_cells(tags),
    "sets": lambda tags: as_cells([t if t is None else set(t) for t in tags]),
    "tuples": lambda tags: as_cells([t if t is None else tuple(t) for t in tags]),
    "arrays": lambda tags: as_cells(
        [t if t is None else np.array(t, dtype=object) for t in tags]
    ),
    "pandas": lambda tags: pd.DataFrame({"t": tags}),
    "polars": lambda tags: pl.DataFrame({"t": tags}),
}


@pytest.mark.parametrize("container", CONTAINERS)
def test_tags_are_whole_words(container):
    block = CONTAINERS[container](TAGS)
    spec = TextModality().fit(block)
    assert set(spec.vectorizer_.vocabulary_) == {"science fiction", "drama", "c++"}
    ids = spec.transform(block)
    assert (ids[:, 0] > 1).tolist() == [True, True, False, False, True] * 4
    assert TextModality(tokenizer="subwords").fit(block).transform(block)[0, 0] > 1


def test_tags_stand_beside_texts():
    frame = pd.DataFrame({"tags": [["a b"], ["c"]] * 3, "text": ["a b", None] * 3})
    spec = TextModality().fit(frame)
    assert set(spec.vectorizer_.vocabulary_) == {"a b", "a", "b", "c"}


def test_auto_reads_tags_as_text_and_lists_of_numbers_as_series():
    frame = pd.DataFrame({"tags": TAGS, "series": [[1.0, 2.0]] * 20, "n": range(20)})
    specs = {n: type(s) for n, s, _ in make_coral().fit(frame).modalities_}
    assert specs == {
        "table": TabularModality, "tags": TextModality, "series": SequenceModality
    }  # fmt: skip


def test_mixed_lists_are_refused_by_column():
    message = (
        "Column 't' must hold strings, lists of strings or missing values. Got "
        "['a', 1] of type 'list' in row 1."
    )
    with pytest.raises(TypeError, match=exactly(message)):
        TextModality().fit(pd.DataFrame({"t": [["a"], ["a", 1]]}))


# Warnings


def make_films(texts):
    rng = np.random.default_rng(0)
    return pd.DataFrame({"n": rng.normal(size=len(texts)), "t": texts})


MODALITIES = [("n", "tabular", ["n"]), ("credits", "text", "t")]


def test_new_texts_without_a_known_word_are_warned_of_once(monkeypatch):
    coral = make_coral(MODALITIES).fit(make_films(["a red car", "a blue bike"] * 10))
    monkeypatch.setattr("skcoral.modalities._reader.ROWS_AT_ONCE", 20)
    X = make_films(["ein rotes Auto"] * 15 + ["red"] * 4 + [None] * 21)
    message = (
        "Modality 'credits': 15 of 19 texts in columns ['t'] have no known word, for "
        "example 'ein rotes Auto', so that their features are all alike. Known are "
        "words that fit has seen, in two texts or more if any were."
    )
    with pytest.warns(UserWarning, match=exactly(message)) as caught:
        warned = coral.transform(X)
    assert len(caught) == 1
    np.testing.assert_allclose(coral.transform(X[15:]), warned[15:], atol=1e-5)


@pytest.mark.parametrize(
    "texts",
    [
        pytest.param(["zebra"] * 9, id="few"),
        pytest.param(["zebra"] * 10 + ["car"] * 10, id="half"),
        pytest.param(["zebra"] * 5 + [""] * 50 + ["car"] * 6, id="blank"),
    ],
)
def test_few_unknown_texts_are_not_warned_of(texts):
    coral = make_coral(MODALITIES).fit(make_films(["a red car", "a blue bike"] * 10))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        coral.transform(make_films(texts))


def test_texts_of_fit_that_share_no_word_are_warned_of():
    texts = np.array(
        ["same word", "same word", *map(chr, range(0x1F400, 0x1F410))], object
    )
    with pytest.warns(UserWarning, match="16 of 18 texts in columns"):
        make_coral([("t", "text", "t")]).fit(SliceDict(t=texts))


# What is kept


def test_a_tokenizer_is_kept_as_plain_data():
    texts, _ = compose("Thai", 30)
    spec = TextModality(tokenizer="subwords").fit(texts)
    assert isinstance(spec.__getstate__()["tokenizer_"], str)
    copied = pickle.loads(pickle.dumps(spec))
    np.testing.assert_array_equal(copied.transform(texts), spec.transform(texts))
    assert not hasattr(clone(spec), "tokenizer_")


def test_letters_beyond_the_vocabulary_are_left_out():
    han = np.array(
        ["".join(map(chr, range(0x4E00 + i, 0x4E40 + i))) for i in range(99)], object
    )
    spec = TextModality(tokenizer="subwords", max_features=50).fit(han)
    assert spec.tokenizer_.get_vocab_size() == 50


def test_patterns_are_made_once():
    assert _words._compile_patterns() is _words._compile_patterns()
