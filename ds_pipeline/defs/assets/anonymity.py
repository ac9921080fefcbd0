"""The check of k-anonymity on a masked table: its figures as Dagster shows them, and what a breach leaves behind."""

import dagster as dg

from ds_pipeline.boundary.anonymity import anonymity_of, require_groups
from ds_pipeline.boundary.cross import MaskedWeek
from ds_pipeline.defs.partitions import check_spec
from ds_pipeline.errors import AnonymityError
from ds_pipeline.masking.columns.k_anonymity import Anonymity
from ds_pipeline.use_case.load import UseCase
from ds_pipeline.workbench import Workbench

ANONYMITY = "k_anonymity"


def require_anonymous(
    context: dg.AssetExecutionContext, bench: Workbench, name: str, weeks: list[MaskedWeek]
) -> Anonymity | None:
    """Judge the newest of the weeks inside a run: a breach leaves a failed check with its figures, then stops it."""
    day = weeks[-1].day
    found = anonymity_of(bench, name, day, {week.day: week.kept for week in weeks})
    if found is None:
        return None
    try:
        require_groups(bench, name, found, day)
    except AnonymityError:
        context.log_event(
            dg.AssetCheckEvaluation(
                asset_key=context.asset_key,
                check_name=ANONYMITY,
                passed=False,
                partition=str(day),
                metadata=anonymity_facts(found),
            )
        )
        raise
    return found


def anonymity_facts(found: Anonymity) -> dict[str, dg.MetadataValue]:
    """The figures as Dagster shows them."""
    return {
        "columns": dg.MetadataValue.text(", ".join(found.columns)),
        "people": dg.MetadataValue.int(found.people),
        "smallest_group": dg.MetadataValue.int(found.groups.smallest),
        "people_in_groups_below_k": dg.MetadataValue.int(found.groups.people_below),
        "k": dg.MetadataValue.int(found.limit.k),
        "is_judged": dg.MetadataValue.bool(found.is_judged),
    }


def anonymity_specs(use_case: UseCase, name: str, key: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    """The check of a table that declares a limit."""
    limit = use_case.sources.tables[name].k_anonymity
    if limit is None:
        return []
    text = (
        f"At least {limit.k} people share each combination of the quasi-identifiers that stay, judged from "
        f"{limit.from_entities:,} people on. A breach stops the run and says which columns to widen."
    )
    return [check_spec(ANONYMITY, key, use_case, blocking=True, description=text)]
