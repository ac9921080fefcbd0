"""The steps of the main job one after another, without Dagster: `ds-pipeline run retail_lapse` is compared with it."""

from ds_pipeline.boundary.mask import mask_source
from ds_pipeline.boundary.suppress import at_work, require_finished
from ds_pipeline.boundary.written_files import scan_week
from ds_pipeline.features.weeks import make_features
from ds_pipeline.monitoring.week import watch_drift, watch_outcomes
from ds_pipeline.project import open_project
from ds_pipeline.promotion.evaluate import evaluate_candidate
from ds_pipeline.promotion.promote import promote_candidate
from ds_pipeline.scoring.lists import deliver
from ds_pipeline.scoring.serve import score_day
from ds_pipeline.training.candidate import sign_candidate
from ds_pipeline.training.weeks import mature_labels
from ds_pipeline.use_case.load import load_use_case
from ds_pipeline.workbench import open_workbench

project = open_project()
bench = open_workbench(project, load_use_case(project.configs / "retail_lapse"))
day = bench.use_case.clock.last
assert day is not None
days = bench.use_case.clock.dates_until(day)

with at_work(bench):
    require_finished(bench)
    for table in bench.use_case.sources.tables:
        mask_source(bench, table, days)
    make_features(bench, days)
    mature_labels(bench, days)
    sign_candidate(bench, day)
    evaluate_candidate(bench, day)
    promote_candidate(bench, day, actor="pipeline", reason="all gates passed")
    score_day(bench, day)
    deliver(bench, day)
    watch_drift(bench, day)
    watch_outcomes(bench, day)
    print(scan_week(bench, day, run="none", log=[]).in_words())
