"""The step of the evaluation: judge the candidate, sign what was found and decided, and write the page."""

from dataclasses import dataclass
from datetime import date

from ds_pipeline.boundary.leak_check import guarded
from ds_pipeline.digests import canonical_json
from ds_pipeline.evaluation.gates.decision import Decision
from ds_pipeline.evaluation.report.gallery import Picture
from ds_pipeline.evaluation.result import Evaluation
from ds_pipeline.promotion.judge import judge_candidate
from ds_pipeline.promotion.report import write_report
from ds_pipeline.registry.verdicts import count_verdicts
from ds_pipeline.workbench import Workbench


@dataclass(frozen=True)
class Evaluated:
    """A candidate that was judged, and where to read about it.

    Attributes:
        weeks: of the holdout, as the requirements ask.
        pictures: those of the page.
        page: its path in the project.
    """

    weeks: int
    evaluation: Evaluation
    decision: Decision
    pictures: list[Picture]
    page: str

    @property
    def summary(self) -> str:
        verdicts = count_verdicts([gate.verdict for gate in self.decision.gates])
        return f"{self.evaluation.facts.rows:,} rows of {self.weeks} weeks; {verdicts}"


def evaluate_candidate(bench: Workbench, day: date) -> Evaluated:
    """Judge the candidate of a scoring date on its holdout, and sign the evaluation with its decision.

    Raises:
        EvaluationError: the use case has changed since the training, or the holdout cannot be read at all.
        RegistryError: a document, the history or the ledger is broken.
        LeakError: an identifier stands in a document or on the page.
    """
    bench = guarded(bench)
    evaluation, decision, reference, served = judge_candidate(bench, day)
    documents = {
        "evaluation.json": evaluation.to_json(),
        "decision.json": decision.to_json(),
        "reference.json": canonical_json(reference),
        **served,
    }
    bench.documents.put(documents, kind="evaluation", day=day)
    pictures = write_report(bench, day, evaluation, decision)
    weeks, page = bench.use_case.requirements.holdout.weeks, bench.project.shown(bench.report_path(day))
    return Evaluated(weeks, evaluation, decision, pictures, page)
