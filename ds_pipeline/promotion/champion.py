"""The champion on the rows its challenger is judged on: with its own features, from its verified bundle, or a problem.

The challenger must be compared with what serves; where that cannot be done, the comparison is refused, not left out.
What serves may have been fitted on the very weeks of the holdout: then the model that was judged before it is compared.
Source: docs/decisions/0002-history-is-the-pointer.md (what is in force)
"""

import warnings
from datetime import date
from typing import Any, NamedTuple

import pandas as pd
import pyarrow as pa
from sklearn.exceptions import InconsistentVersionWarning

from ds_pipeline.errors import ConfigError, FeatureError, RegistryError
from ds_pipeline.evaluation.measure.baselines import ChampionFacts
from ds_pipeline.features.schema import features_frame_schema, require_valid
from ds_pipeline.features.weeks import features_of_version
from ds_pipeline.model.predict import predict
from ds_pipeline.registry.bundle import Bundle
from ds_pipeline.scoring.serve import use_case_of
from ds_pipeline.use_case.features import SCORING_DATE
from ds_pipeline.use_case.load import UseCase
from ds_pipeline.workbench import Workbench

WAY_ON = (
    "Where its bundle is lost, `ds-pipeline promote --replace-lost` excuses this gate and no other; else take the "
    "threshold over the champion out of requirements.yaml for one training, which its owner approves with "
    "`ds-pipeline approve-requirements`"
)


class Champion(NamedTuple):
    """What is in force for a date, on the rows of the holdout; exactly one of scores and a problem is there.

    Attributes:
        scores: probability of the target (0..1), with the index of the rows.
    """

    facts: ChampionFacts
    scores: pd.Series | None


def score_champion(bench: Workbench, day: date, rows: pd.DataFrame) -> Champion | None:
    """The version in force for a date on the holdout rows of its challenger; None where none was ever in force.

    A champion of other features gets those of its own SQL, built anew for the dates of the rows, over the tables as
    they are declared today.

    Args:
        rows: scoring_date, the entity and the features of the use case, each entity and date once.

    Raises:
        RegistryError: the history of promotions is broken, so that nobody can say what is in force.
        HistoryError: masked tables are missing.
    """
    event = bench.registry.champion(day)
    if event is None:
        return None
    facts = ChampionFacts(version=event.version, candidate=event.candidate_digest)
    try:
        return Champion(facts, _scores(bench, bench.registry.open(event.version), rows))
    except (RegistryError, FeatureError, ConfigError) as error:
        fault = str(error).removeprefix(f"{event.version}: ")
        problem = f"the champion {event.version} cannot be compared: {fault} {WAY_ON}"
        return Champion(facts.model_copy(update={"problem": problem}), None)


def _scores(bench: Workbench, bundle: Bundle, rows: pd.DataFrame) -> pd.Series:
    """The scores of a version; RegistryError where a row of the holdout is not among its own, or has no probability."""
    model_case = use_case_of(bench, bundle)
    frame = _features(bench, model_case, rows)
    model = _load(bundle)
    missing = int(frame["_merge"].ne("both").sum())
    if missing:
        raise RegistryError(f"{missing:,} of {len(rows):,} rows of the holdout are not in its own population.")
    scores = predict(model, frame, model_case.features)
    unusable = int((~((scores >= 0) & (scores <= 1))).sum())  # NaN too
    if unusable:
        raise RegistryError(f"{unusable:,} of its {len(rows):,} scores are no probabilities.")
    return pd.Series(scores, index=rows.index, name="champion")


def _features(bench: Workbench, model_case: UseCase, rows: pd.DataFrame) -> pd.DataFrame:
    """The features of a version for the rows, in their order; _merge says which of them it knows."""
    entity = bench.use_case.problem.entity
    if model_case.problem.entity != entity:
        raise ConfigError(f"it scores another entity ({model_case.problem.entity}, not {entity}).")
    if model_case.features_digest == bench.use_case.features_digest:
        return rows.assign(_merge="both")
    days = sorted(set(rows[SCORING_DATE]))
    built = features_of_version(bench, model_case, days)
    frame = pa.concat_tables([built[day] for day in days]).to_pandas()
    require_valid(frame, features_frame_schema(model_case), where="the champion's features of the holdout")
    key = [SCORING_DATE, entity]
    return rows[key].merge(frame, on=key, how="left", validate="one_to_one", indicator=True)


def _load(bundle: Bundle) -> Any:
    """The model; RegistryError where it was saved under another scikit-learn: its scores may then be others."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", InconsistentVersionWarning)
        try:
            return bundle.load_model(bundle.judged)
        except (ImportError, AttributeError):  # the message names modules only, but may name a folder
            raise RegistryError("its model was pickled by other code than is here.") from None
        except InconsistentVersionWarning as warning:
            raise RegistryError(
                f"it was saved under scikit-learn {warning.original_sklearn_version}, here runs "
                f"{warning.current_sklearn_version}. Install the packages that its lineage.json names."
            ) from None
