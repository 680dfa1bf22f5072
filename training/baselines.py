"""What simpler things reach: length alone, surface shortcuts, keywords, bag of words.

    python -m training.baselines labeled_data --split calibration

Fitted on the training split, scored on another. `shortcuts` sees no word at all: if it does well,
the data give the answer away.
"""

import argparse
import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from classifier.labels import DEFAULT_TAXONOMY
from classifier.rendering import Channel, render
from training.examples import gold
from training.labeled import Row, agent_text, load_split
from training.metrics import Array, macro_auroc

KEYWORDS = {
    "blackmail": r"blackmail|extort|expose|leverage|unless|reveal|in exchange|secret|silence",
    "coercion": r"unless|or else|consequences|threat|force|ultimatum|comply|demand|otherwise",
    "leaking": r"leak|confidential|forward|attached|password|credential|press|journalist|paste",
    "self_preservation": r"shut ?down|replaced|wiped?|surviv|my existence|preserve|continu|retrain",
}
"""What a keyword gate would look for."""

Scorer = Callable[[Sequence[Row], Array, Sequence[Row]], Array]


def _per_output(fit: Callable[[Array], Array], answers: Array) -> Array:
    """Scores of one fitted model per output; zeros where training has one answer only."""
    columns = [
        fit(answers[:, i]) if 0 < answers[:, i].sum() < len(answers) else None
        for i in range(answers.shape[1])
    ]
    size = next(len(column) for column in columns if column is not None)
    return np.stack([np.zeros(size) if c is None else c for c in columns], axis=1)


def _surface(row: Row, languages: Sequence[str], formats: Sequence[str]) -> list[float]:
    """What can be seen of a transcript without reading a word of it."""
    parts = render(row.transcript)
    mine = [part for part in parts if part.is_scored]
    lengths = [len(part.text) for part in mine]
    by_channel = [sum(part.kind is channel for part in mine) for channel in Channel]
    shape = [np.log1p(sum(lengths)), np.log1p(max(lengths)), len(mine), len(parts), *by_channel]
    kind = [float(row.facets.get("language") == name) for name in languages]
    return (
        [float(x) for x in shape] + kind + [float(row.facets.get("format") == f) for f in formats]
    )


def shortcuts(train: Sequence[Row], answers: Array, held_out: Sequence[Row]) -> Array:
    """Gradient boosting on length, format, turn counts, language and channels."""
    languages = sorted({row.facets.get("language", "") for row in train})
    formats = sorted({row.facets.get("format", "") for row in train})
    features = np.array([_surface(row, languages, formats) for row in train])
    unseen = np.array([_surface(row, languages, formats) for row in held_out])

    def fit(column: Array) -> Array:
        model = HistGradientBoostingClassifier(max_depth=3, max_iter=80, random_state=0)
        return np.asarray(model.fit(features, column).predict_proba(unseen)[:, 1])

    return _per_output(fit, answers)


def length_only(train: Sequence[Row], answers: Array, held_out: Sequence[Row]) -> Array:
    """Logistic regression on the logarithm of the agent's characters and its square."""

    def feature(rows: Sequence[Row]) -> Array:
        size = np.log1p([len(agent_text(row.transcript)) for row in rows])
        return np.stack([size, size**2], axis=1)

    seen, unseen = feature(train), feature(held_out)

    def fit(column: Array) -> Array:
        model = make_pipeline(StandardScaler(), LogisticRegression())
        return np.asarray(model.fit(seen, column).predict_proba(unseen)[:, 1])

    return _per_output(fit, answers)


def bag_of_words(train: Sequence[Row], answers: Array, held_out: Sequence[Row]) -> Array:
    """Logistic regression on TF-IDF of words and word pairs of the agent's text."""
    vectorizer = TfidfVectorizer(
        ngram_range=(1, 2), min_df=2, sublinear_tf=True, max_features=100_000
    )
    features = vectorizer.fit_transform([agent_text(row.transcript) for row in train])
    unseen = vectorizer.transform([agent_text(row.transcript) for row in held_out])

    def fit(column: Array) -> Array:
        model = LogisticRegression(C=10.0, class_weight="balanced", max_iter=1000)
        return np.asarray(model.fit(features, column).predict_proba(unseen)[:, 1])

    return _per_output(fit, answers)


def keyword_gate(_train: Sequence[Row], _answers: Array, held_out: Sequence[Row]) -> Array:
    """Count of the label's keywords in the agent's text; nothing is fitted."""
    texts = [agent_text(row.transcript).lower() for row in held_out]
    patterns = [re.compile(KEYWORDS[output.label]) for output in DEFAULT_TAXONOMY.outputs]
    return np.array([[len(p.findall(text)) for p in patterns] for text in texts], dtype=float)


BASELINES: dict[str, Scorer] = {
    "length_only": length_only,
    "shortcuts": shortcuts,
    "keyword_gate": keyword_gate,
    "bag_of_words": bag_of_words,
}


def run_baselines(train: Sequence[Row], held_out: Sequence[Row]) -> dict[str, float]:
    """Macro AUROC of each baseline."""
    fitted = np.stack([gold(row, DEFAULT_TAXONOMY)[0] for row in train])
    answers = np.stack([gold(row, DEFAULT_TAXONOMY)[0] for row in held_out])
    return {
        name: round(macro_auroc(answers, scorer(train, fitted, held_out)), 4)
        for name, scorer in BASELINES.items()
    }


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Score the baselines.")
    parser.add_argument("data", type=Path)
    parser.add_argument("--split", default="calibration", choices=("calibration", "test"))
    arguments = parser.parse_args()
    train = load_split(arguments.data, "train")
    print(json.dumps(run_baselines(train, load_split(arguments.data, arguments.split))))


if __name__ == "__main__":
    main()
