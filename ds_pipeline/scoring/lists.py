"""The list of a scored date, in the formats of the contract, and beside it what it is and what it replaces."""

import json
from contextlib import suppress
from dataclasses import dataclass
from datetime import date

import pandas as pd

from ds_pipeline.boundary.cross import identifiers_of
from ds_pipeline.boundary.leak_check import delivered_identifiers, require_clean_table
from ds_pipeline.errors import HistoryError, ScoringError
from ds_pipeline.model.predict import predict
from ds_pipeline.registry.ledger import Entry, Superseded
from ds_pipeline.scoring.delivery import campaign_list, render
from ds_pipeline.scoring.reasons import as_columns, only_of_logged, reasons
from ds_pipeline.scoring.score import CAMPAIGN
from ds_pipeline.scoring.serve import features_for, features_have_changed, read_log, require_settled, use_case_of
from ds_pipeline.store.chain import file_name
from ds_pipeline.store.datasets import SCORES
from ds_pipeline.store.snapshots import Snapshot, write_file
from ds_pipeline.workbench import Workbench

MANIFEST = "manifest.json"  # beside the lists of a date


@dataclass(frozen=True)
class Delivery:
    """The files of a list, as they are called in the project, and the number of rows in each.

    Attributes:
        left_out: of the chosen, who have no identifier of the consumer's.
    """

    files: list[str]
    rows: int
    left_out: int

    @property
    def summary(self) -> str:
        left_out = f" ({self.left_out:,} of the chosen left out: no identifier)" if self.left_out else ""
        return f"{self.rows:,} rows{left_out}: {', '.join(self.files)}"


def require_contract(bench: Workbench, day: date) -> None:
    """Raise ScoringError if the agreement with the consumer has ended before the date."""
    sunset = bench.use_case.contract.sunset
    if day > sunset:
        raise ScoringError(
            f"configs/{bench.use_case.name}/contract.yaml: sunset: the contract ended on {sunset}; nothing is "
            f"delivered for {day}. Agree on a new one and change the date."
        )


def deliver(bench: Workbench, day: date) -> Delivery:
    """Write the list of a scored date in the formats of the contract.

    Raises:
        ScoringError: the date is not scored, the contract has ended, or too many customers cannot be identified.
        LeakError: an identifier stands in a column that the contract does not flag.
    """
    require_contract(bench, day)
    contract, entity = bench.use_case.contract, bench.use_case.problem.entity
    logged = bench.datasets.store.find(SCORES, str(day))
    if logged is None:
        raise ScoringError(f"{bench.use_case.name}: {day} is not scored, so there is nothing to deliver.")
    replaced = require_settled(bench, logged)
    scores = read_log(bench, logged)
    with suppress(HistoryError):  # features that are being built again cannot be compared with; the log is signed
        features_have_changed(bench, scores, str(logged.info["model_version"]), day)
    chosen = scores[scores["decision"] == CAMPAIGN]
    table = campaign_list(
        scores,
        contract,
        entity=entity,
        identifiers=identifiers_of(bench, set(chosen[entity]), day),
        reasons=_reasons_of(bench, chosen, day) if contract.asks_for_reasons else None,
        replaces=replaced.says.before if replaced and isinstance(replaced.says, Superseded) else None,
    )
    listed = table.drop_columns(delivered_identifiers(bench))
    require_clean_table(bench, listed, where=f"campaign list of {day}, columns that contract.yaml does not flag")
    paths = bench.delivery_paths(day)
    for path in paths:
        write_file(path, render(table, path.suffix.removeprefix(".")), replace=True)
    delivery = Delivery([bench.project.shown(path) for path in paths], table.num_rows, len(chosen) - table.num_rows)
    _write_manifest(bench, logged, delivery, replaced)
    return delivery


def _write_manifest(bench: Workbench, logged: Snapshot, delivery: Delivery, replaced: Entry | None) -> None:
    """What a list is, for whoever receives it, beside it; rows as they were delivered."""
    folder, before = bench.delivery_paths(date.fromisoformat(logged.partition))[0].parent, None
    if replaced is not None and isinstance(replaced.says, Superseded):
        kept = sorted(path.name for path in folder.glob(f"*.replaced-{file_name(replaced.number)[:-5]}.*"))
        before = {
            "model_version": replaced.says.before,
            "lists": kept,
            "reason": replaced.reason,
            "by": replaced.actor,
            "at": replaced.at.isoformat(timespec="seconds"),
            "recorded_as": f"ledger/{file_name(replaced.number)}",
        }
    manifest = {
        "use_case": bench.use_case.name,
        "scoring_date": logged.partition,
        "model_version": str(logged.info["model_version"]),
        "scores": logged.digest,
        "files": [path.rpartition("/")[2] for path in delivery.files],
        "rows": delivery.rows,
        "left_out": delivery.left_out,
        "replaces": before,
    }
    write_file(folder / MANIFEST, f"{json.dumps(manifest, indent=2)}\n".encode(), replace=True)


def _reasons_of(bench: Workbench, chosen: pd.DataFrame, day: date) -> pd.DataFrame:
    """The reasons for logged scores, by token, from the verified version that made them; empty where none was chosen.

    Where its features are no longer what they were, such as after a week was built again, they are unknown.
    """
    entity = bench.use_case.problem.entity
    logged = chosen.set_index(entity)["score"]
    if chosen.empty:
        return as_columns([], chosen[entity])
    (version,) = set(chosen["model_version"])
    bundle = bench.registry.open(version)
    model_case, model = use_case_of(bench, bundle), bundle.load_model()
    frame = features_for(bench, model_case, day).to_pandas()
    frame = frame[frame[entity].isin(logged.index)]
    why = reasons(model, frame, model_case.features, reference=bundle.json("reference.json"))
    today = pd.Series(predict(model, frame, model_case.features), index=frame[entity])
    return only_of_logged(as_columns(why, frame[entity]), today, logged)
