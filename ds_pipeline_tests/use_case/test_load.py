"""A use case folder: what it says is loaded, and all that is wrong with it is said at once."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from ds_pipeline.errors import ConfigError
from ds_pipeline.use_case.load import known_use_cases, load_use_case, use_case_of_files

Change = Callable[[str, str, str], None]
Problems = Callable[[], list[str]]
METRICS = (
    "precision_at_recall, precision_at_top, recall_at_precision, recall_at_top, average_precision_gain, cost_saving, "
    "expected_calibration_error, false_positive_rate_difference, demographic_parity_difference, "
    "equalized_odds_difference, calibration_difference"
)


def test_every_use_case_of_the_project_loads() -> None:
    configs = Path(__file__).resolve().parents[2] / "configs"
    names = known_use_cases(configs)

    assert "retail_lapse" in names
    assert [load_use_case(configs / name).name for name in names] == names


def test_the_clock_follows_from_the_files(folder: Path) -> None:
    clock = load_use_case(folder).clock

    assert (clock.first, clock.last) == (date(2011, 3, 7), date(2011, 12, 5))
    assert (clock.lag_weeks, clock.holdout_weeks, clock.time_zone) == (5, 8, "Europe/London")


def test_a_loaded_use_case_cannot_be_changed_but_copied_and_sent_to_another_process(folder: Path) -> None:
    use_case = load_use_case(folder)
    customers = use_case.sources.tables["customers"]

    for tamper in (
        lambda: use_case.requirements.acceptance.pop("calibration"),
        lambda: use_case.features.features.update({}),
        lambda: customers.key.append("x"),
        lambda: customers.columns.__setitem__("x", None),
        lambda: use_case.feature_sql.clear(),
        lambda: use_case.files.__setitem__("x", b""),
    ):
        with pytest.raises(TypeError, match="frozen"):
            tamper()
    with pytest.raises(ValueError, match="frozen"):
        use_case.requirements.holdout.weeks = 1
    assert pickle.loads(pickle.dumps(use_case)) == use_case
    assert copy.deepcopy(use_case) == use_case
    assert isinstance(customers.key, list)
    assert isinstance(customers.model_dump()["columns"], dict)


def test_digests_follow_what_they_name(folder: Path, change: Change) -> None:
    before = load_use_case(folder)
    change("requirements.yaml", "weeks: 8", "weeks: 9")
    other_requirements = load_use_case(folder)
    change("label.sql", "-- 1:", "-- One:")
    other_label = load_use_case(folder)
    change("features/profile.sql", "-- Who", "-- who")
    other_sql = load_use_case(folder)

    assert before.features_digest == other_requirements.features_digest == other_label.features_digest
    assert before.labels_digest == other_requirements.labels_digest != other_label.labels_digest
    assert before.requirements_digest != other_requirements.requirements_digest == other_sql.requirements_digest
    assert other_label.features_digest != other_sql.features_digest
    assert len({case.digest for case in (before, other_requirements, other_label, other_sql)}) == 4


def test_an_unknown_use_case_names_the_known_ones(folder: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"configs/retial_lapse: no such use case\. Did you mean retail_lapse\? Known: retail_lapse\."
    ):
        load_use_case(folder.parent / "retial_lapse")


def test_without_any_use_case_there_is_none_to_name(tmp_path: Path) -> None:
    assert known_use_cases(tmp_path / "configs") == []
    with pytest.raises(ConfigError, match="Known: none"):
        load_use_case(tmp_path / "configs" / "x")


def test_known_use_cases_are_folders(folder: Path) -> None:
    (folder.parent / "README.md").write_text("x")
    (folder.parent / ".hidden").mkdir()
    (folder.parent / "b_case").mkdir()

    assert known_use_cases(folder.parent) == ["b_case", "retail_lapse"]


def test_the_name_of_a_folder_must_do_as_the_name_of_an_asset(folder: Path) -> None:
    with pytest.raises(ConfigError, match="Retail Lapse: the name must be lower-case letters"):
        load_use_case(folder.rename(folder.parent / "Retail Lapse"))


def test_everything_that_is_wrong_is_said_at_once(folder: Path, change: Change, problems: Problems) -> None:
    change("requirements.yaml", "metric: precision_at_recall", "metric: recal")
    change("requirements.yaml", "  weeks: 8", "  weks: 8")
    change("problem.yaml", "first: 2011-03-07", "first: 2011-03-08")
    change("sources.yaml", "        treatment: keep\n", "")
    change("features.yaml", "dtype: int64", "dtype: int")
    change("contract.yaml", "sunset: 2012-12-31", "sunset: someday")
    (folder / "training.yaml").unlink()
    (folder / "label.sql").write_bytes(b"\xff")
    (folder / "featurs.yaml").write_text("")

    found = problems()

    assert [text.split(":")[0] for text in found] == [
        "training.yaml",
        "problem.yaml",
        "requirements.yaml",
        "requirements.yaml",
        "requirements.yaml",
        "contract.yaml",
        "sources.yaml",
        "features.yaml",
        "label.sql",
        "featurs.yaml",
    ]


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        pytest.param(
            "requirements.yaml",
            "metric: precision_at_recall",
            "metric: recal",
            f"requirements.yaml: acceptance.precision_at_recall_60: unknown metric 'recal'. Known: {METRICS}.",
            id="metric",
        ),
        pytest.param(
            "requirements.yaml",
            "metric: precision_at_recall",
            "metric: precision_at_recal",
            "requirements.yaml: acceptance.precision_at_recall_60: unknown metric 'precision_at_recal'. Did you mean "
            f"precision_at_recall? Known: {METRICS}.",
            id="metric-nearly",
        ),
        pytest.param(
            "requirements.yaml",
            "    metric: precision_at_recall\n",
            "",
            "requirements.yaml: acceptance.precision_at_recall_60: the key metric is missing. Add it; one of: "
            f"{METRICS}.",
            id="no-metric",
        ),
        pytest.param(
            "requirements.yaml",
            "bound: point",
            "bound: upper",
            "requirements.yaml: acceptance.calibration.bound: unknown value 'upper'. Known: point.",
            id="bound",
        ),
        pytest.param(
            "requirements.yaml",
            "bins: 10",
            "bins: 10\n    binz: 3",
            "requirements.yaml: acceptance.calibration.binz: unknown key. Did you mean bins? Known: metric, bins, "
            "maximum, bound, owner.",
            id="unknown-key-of-a-threshold",
        ),
        pytest.param(
            "requirements.yaml",
            "resamples: 2000",
            "resamples: '1000'",
            "requirements.yaml: bootstrap.resamples: expected a whole number, found the text '1000'.",
            id="text-as-number",
        ),
        pytest.param(
            "requirements.yaml",
            "weeks: 8",
            "weeks: true",
            "requirements.yaml: holdout.weeks: expected a whole number, found true or false (True).",
            id="true-as-number",
        ),
        pytest.param(
            "requirements.yaml",
            "min_support: 200",
            "min_support: 0",
            "requirements.yaml: slices.min_support: must be greater than or equal to 1, found 0.",
            id="too-small",
        ),
        pytest.param(
            "requirements.yaml",
            "confidence: 0.95",
            "confidence: .nan",
            "requirements.yaml: bootstrap.confidence: must be a finite number, found nan.",
            id="nan",
        ),
        pytest.param(
            "requirements.yaml",
            "act: 0.2",
            "act: 0.1",
            "requirements.yaml: monitoring.psi: act (0.1) must be above warn (0.1).",
            id="order-of-limits",
        ),
        pytest.param(
            "requirements.yaml",
            "feature: days_since_last_purchase",
            "feature: days_since_last_purchse",
            "requirements.yaml: baseline.feature: days_since_last_purchse is not in features.yaml. Did you mean "
            "days_since_last_purchase?",
            id="baseline",
        ),
        pytest.param(
            "requirements.yaml",
            "feature: days_since_last_purchase",
            "feature: region",
            "requirements.yaml: baseline.feature: expected a number, region is a string.",
            id="baseline-text",
        ),
        pytest.param(
            "requirements.yaml",
            "precision_at_recall_60:",
            "Precision at 60 %:",
            "requirements.yaml: acceptance.Precision at 60 %: expected lower-case letters, digits and _, "
            "beginning with "
            "a letter, found 'Precision at 60 %'.",
            id="name-of-a-gate",
        ),
        pytest.param(
            "problem.yaml",
            "first: 2011-03-07",
            "first: 2011-03-08",
            "problem.yaml: clock.first: 2011-03-08 is a Tuesday; a scoring date is a Monday, such as 2011-03-07 or "
            "2011-03-14.",
            id="not-a-Monday",
        ),
        pytest.param(
            "problem.yaml",
            "first: 2011-03-07",
            "first: someday",
            "problem.yaml: clock.first: 'someday' is not a date; expected one such as 2011-03-07.",
            id="not-a-date",
        ),
        pytest.param(
            "problem.yaml",
            "time_zone: Europe/London",
            "time_zone: Europe",
            "problem.yaml: clock.time_zone: unknown time zone 'Europe'; expected an IANA name such as Europe/London.",
            id="time-zone",
        ),
        pytest.param(
            "problem.yaml", "question: >-", "qestion: >-", "problem.yaml: question: missing key. Add it.", id="key"
        ),
        pytest.param(
            "problem.yaml",
            "last: 2011-12-05",
            "last: 2011-06-27",
            "problem.yaml: clock.last: 2011-06-27 leaves no week for training: 8 holdout weeks and twice the lag of 5 "
            "weeks come first. The earliest date that can train is 2011-07-04. Move last, or shorten horizon_days or "
            "holdout.weeks.",
            id="too-little-history",
        ),
        pytest.param(
            "problem.yaml",
            "last: 2011-12-05",
            "last: 2011-02-28",
            "problem.yaml: clock: last (2011-02-28) lies before first (2011-03-07).",
            id="last-before-first",
        ),
        pytest.param(
            "sources.yaml",
            "        treatment: drop\n",
            "",
            "sources.yaml: tables.transactions.columns.Description.treatment: missing key. Add it; one of: drop, keep, "
            "token, initial, band, prefix, categories, redact.",
            id="no-treatment",
        ),
        pytest.param(
            "sources.yaml",
            'identifies: "no"',
            "identifies: no",
            "sources.yaml: tables.transactions.columns.InvoiceNo.identifies: YAML reads a bare yes, no, on or off as "
            'true or false. Put it in quotes, such as "no".',
            id="bare-no",
        ),
        pytest.param(
            "sources.yaml",
            "treatment: token",
            "treatment: keep",
            "sources.yaml: tables.transactions.columns.CustomerID: a column with identifies: direct cannot "
            "be treated by "
            "'keep'; choose one of: drop, initial, redact, token.",
            id="treatment-that-keeps-an-identifier",
        ),
        pytest.param(
            "sources.yaml",
            "data_class: public",
            "data_class: restricted",
            "sources.yaml: tables.transactions: a restricted table may only be read by a database query, not from a "
            "file.",
            id="restricted-file",
        ),
        pytest.param(
            "sources.yaml",
            "path: data/",
            "path: ../data/",
            "sources.yaml: tables.transactions.path: path must be relative to the project and stay inside it.",
            id="path",
        ),
        pytest.param(
            "sources.yaml",
            "minimum: 2010-12-01",
            "minimum: 0x",
            "sources.yaml: tables.transactions.columns.InvoiceDate.minimum: expected a number or a date, "
            "found the text "
            "'0x'.",
            id="limit-of-no-type",
        ),
        pytest.param(
            "sources.yaml",
            "maximum: 2011-12-31",
            "maximum: 2001-12-31",
            "sources.yaml: tables.transactions.columns.InvoiceDate: no value lies between 2010-12-01 and 2001-12-31.",
            id="limits-without-a-value-between",
        ),
        pytest.param(
            "sources.yaml",
            "alias: stock_code",
            "alias: invoice_no",
            "sources.yaml: tables.transactions: two columns have the alias invoice_no.",
            id="alias-twice",
        ),
        pytest.param(
            "sources.yaml",
            "  transactions:",
            "  population:",
            "sources.yaml: tables.population: SQL knows the entities in scope under that name. Choose another.",
            id="name-of-a-table",
        ),
        pytest.param(
            "sources.yaml",
            "tables:\n",
            "buckets: 0\ntables:\n",
            "sources.yaml: buckets: must be greater than or equal to 1, found 0.",
            id="buckets",
        ),
        pytest.param(
            "features.yaml",
            "features:\n",
            "scope: {features/rank.sql: everyone}\nfeatures:\n",
            "features.yaml: scope: features/rank.sql: no such file; expected one of: population.sql, label.sql, "
            "features/basket.sql, features/profile.sql, features/rhythm.sql.",
            id="scope-of-no-file",
        ),
        pytest.param(
            "features.yaml",
            "dtype: int64",
            "dtype: integer",
            "features.yaml: features.days_since_last_purchase.dtype: unknown value 'integer'. Known: int64, float64, "
            "bool, string, text.",
            id="dtype",
        ),
        pytest.param(
            "features.yaml",
            "minimum: 1, maximum: 91",
            "minimum: 1, maximum: .inf",
            "features.yaml: features.days_since_last_purchase.maximum: must be a finite number, found inf.",
            id="unbounded",
        ),
        pytest.param(
            "features.yaml",
            "overdue_ratio:",
            "customer_email:",
            "features.yaml: customer_email: the name of an identifier; identifiers cannot be features.",
            id="identifier",
        ),
        pytest.param(
            "contract.yaml",
            "example: 0.83",
            "example: high",
            "contract.yaml: columns.score: the example 'high' is not of the type double.",
            id="example",
        ),
        pytest.param(
            "contract.yaml",
            "type: integer",
            "type: double",
            "contract.yaml: columns.customer_id.type: customers.customer_id has the type integer, not double.",
            id="type-of-the-identifier",
        ),
        pytest.param(
            "contract.yaml",
            'time: "06:00"',
            "time: 10:00",
            "contract.yaml: cadence.time: expected text, found a whole number (600). Put text in quotes.",
            id="time-of-day",
        ),
        pytest.param(
            "training.yaml",
            "high: 1.0}",
            "high: 2.0}",
            "training.yaml: search_space: max_features: high must be at most 1; it is a share.",
            id="share",
        ),
        pytest.param(
            "training.yaml",
            "folds: 4",
            "folds: four",
            "training.yaml: calibration.folds: expected a whole number, found the text 'four'.",
            id="text-for-a-number",
        ),
        pytest.param(
            "training.yaml",
            "trials: 20",
            "trials: 20\nrefit: matured",
            "training.yaml: refit is matured, and requirements.yaml has no part matured_fit, which says how far such a "
            "model may differ. Declare both or neither.",
            id="a-refit-without-limits",
        ),
        pytest.param(
            "requirements.yaml",
            "budgets:",
            "matured_fit: {min_overlap: 0.8, max_score_change: 0.1, owner: ds}\nbudgets:",
            "training.yaml: refit is none, and requirements.yaml has a part matured_fit, which says how far such a "
            "model may differ. Declare both or neither.",
            id="limits-without-a-refit",
        ),
    ],
)
def test_a_fault_is_named_with_file_key_and_remedy(
    change: Change, problems: Problems, file: str, old: str, new: str, message: str
) -> None:
    change(file, old, new)

    assert message in problems()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", "the file is empty", id="empty"),
        pytest.param("# nothing\n", "the file is empty", id="only-a-comment"),
        pytest.param("- a\n", "expected keys and values, found a list", id="list"),
        pytest.param("text", "expected keys and values, found the text 'text'", id="text"),
        pytest.param("a: 1\nb: 2\na: 3\n", ":3: not valid YAML: the key 'a' is there twice", id="key-twice"),
        pytest.param("a:\n  b: 1\n  b: 2\n", ":3: not valid YAML: the key 'b' is there twice", id="inner-key-twice"),
        pytest.param("a: [1\n", "not valid YAML", id="open-bracket"),
        pytest.param("a: 2011-02-30\n", "not valid YAML: day is out of range for month", id="no-such-day"),
        pytest.param("? [a]\n: b\n", ":1: not valid YAML: the key ['a'] is not text", id="list-as-key"),
        pytest.param("1: b\n", ":1: not valid YAML: the key 1 is not text", id="number-as-key"),
        pytest.param("a: &a [*a]\n", "not valid YAML", id="endless"),
        pytest.param("a: 1\n---\nb: 2\n", "not valid YAML: but found another document", id="two-documents"),
        pytest.param("a: !!python/object/apply:os.getcwd []\n", "not valid YAML: could not determine", id="code"),
    ],
)
def test_a_file_that_is_no_yaml_mapping_is_refused(folder: Path, problems: Problems, text: str, message: str) -> None:
    (folder / "problem.yaml").write_text(text)

    found = problems()

    assert len(found) == 1
    assert found[0].startswith("problem.yaml")
    assert message in found[0]


def test_a_folder_in_the_place_of_a_file_is_said(folder: Path, problems: Problems) -> None:
    (folder / "contract.yaml").unlink()
    (folder / "contract.yaml").mkdir()

    assert problems() == ["contract.yaml: cannot be read: Is a directory."]


def test_a_byte_order_mark_and_dates_in_quotes_are_no_fault(folder: Path, change: Change) -> None:
    change("problem.yaml", "first: 2011-03-07", 'first: "2011-03-07"')
    for file in ("problem.yaml", "label.sql"):
        (folder / file).write_bytes(b"\xef\xbb\xbf" + (folder / file).read_bytes())

    assert load_use_case(folder).clock.first == date(2011, 3, 7)


def test_notes_beside_the_files_are_no_strangers(folder: Path) -> None:
    (folder / "README.md").write_text("x")
    (folder / ".DS_Store").write_text("x")

    load_use_case(folder)


def test_the_gate_has_to_judge_the_share_that_is_delivered(change: Change, problems: Problems) -> None:
    """A gate on the highest tenth passed while the highest fifth was delivered."""
    change("contract.yaml", "top_share: 0.10", "top_share: 0.20")
    judge_a_list = (
        "precision_in_top_decile", "saving", "false_positives_by_age", "parity_by_age", "odds_by_age",
        "calibration_by_age",
    )  # fmt: skip
    assert problems() == [
        f"requirements.yaml: acceptance.{name}.share: the gate judges the highest 0.1, contract.yaml "
        "delivers the highest 0.2 (top_share). Make them equal."
        for name in judge_a_list
    ]


def test_a_gate_cannot_have_the_name_of_a_data_minimum(change: Change, problems: Problems) -> None:
    """It passed the check and took every use case of the code location down."""
    change("requirements.yaml", "  calibration:\n", "  training_rows:\n")
    assert problems() == [
        "requirements.yaml: acceptance.training_rows: data_minimums has a gate of that name. Choose another."
    ]


def test_the_files_themselves_make_the_same_use_case(folder: Path) -> None:
    case = load_use_case(folder)

    assert use_case_of_files("retail_lapse", case.files) == case


def test_what_is_wrong_with_the_files_themselves_is_said_as_of_a_folder(folder: Path, problems: Problems) -> None:
    files = dict(load_use_case(folder).files)
    for broken in ("problem.yaml", "features/rhythm.sql"):
        (folder / broken).unlink()
        del files[broken]
    (folder / "label.sql").write_bytes(files.setdefault("featurs.yaml", b""))
    (folder / "featurs.yaml").write_bytes(b"")
    files["label.sql"] = b""

    with pytest.raises(ConfigError) as error:
        use_case_of_files("retail_lapse", files)

    said = [line.removeprefix("  - configs/retail_lapse/") for line in str(error.value).splitlines()[1:]]
    assert said == problems()
    assert said[0].startswith("problem.yaml: missing. Add the file")
