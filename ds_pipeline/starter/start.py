"""Start a use case of one's own: look at the files, ask what cannot be guessed, write the folder, say what to do."""

from collections.abc import Callable, Sequence
from datetime import date
from functools import cache

from ds_pipeline.boundary.scan import texts_with_identifiers
from ds_pipeline.errors import ConfigError
from ds_pipeline.figures import counted, declared_percent
from ds_pipeline.masking.text.text import TextRedactor
from ds_pipeline.project import DEMO_KEY, Project
from ds_pipeline.starter.answers import Answers
from ds_pipeline.starter.asking import ask_missing
from ds_pipeline.starter.pii import Look
from ds_pipeline.starter.plan import Plan, make_plan, open_files
from ds_pipeline.starter.profile import SourceFile
from ds_pipeline.starter.write import require_free, reviews, write_starter
from ds_pipeline.starter.written import date_formats_of, encoding_of
from ds_pipeline.use_case.sources import EARLY_SHARE, NULL_WORDS

OTHERS = 0o077
Ask = Callable[[str], str]  # a question to the answer of a person


def start_case(project: Project, answers: Answers, *, ask: Ask | None, today: date) -> list[str]:
    """Write configs/<name> and return what to say about it, line by line.

    Args:
        ask: puts a question to whoever sits there; None where nobody does.

    Raises:
        ConfigError: an answer is missing or does not fit, or the folder is there already.
        SourceError: a file cannot be read.
    """
    require_free(answers.name, project.configs)

    @cache
    def open_file(path: str, name: str) -> SourceFile:
        encoding, formats = encoding_of(answers, name), date_formats_of(answers, name)
        return SourceFile(project.root, path, name, encoding=encoding, date_formats=formats)

    if ask is not None:
        answers = ask_missing(answers, ask=ask, open_file=open_file)
    files = open_files(answers, open_file)
    plan = make_plan(answers, files, look=look_for_identifiers(), choose=_chooser(ask), today=today)
    write_starter(plan, project.configs)
    return _summary(project, plan)


def look_for_identifiers() -> Look:
    """Finds identifiers with the text engine of the masking, and with the leak scan, which nothing may fail later.

    What it finds are kinds, and the share of the text that each covers; the scan says neither, so that is 0 of SCAN.
    """
    redactor = TextRedactor()

    def look(texts: Sequence[str]) -> list[dict[str, float]]:
        found = []
        scanned = texts_with_identifiers(list(texts))
        for text, spans, is_scanned in zip(texts, redactor.find(texts), scanned, strict=True):
            covered: dict[str, float] = {"SCAN": 0.0} if is_scanned else {}
            for span in spans:
                covered[span.kind] = covered.get(span.kind, 0) + (span.end - span.start) / max(1, len(text.strip()))
            found.append(covered)
        return found

    return look


def _chooser(ask: Ask | None) -> Callable[[str, str, list[str]], str]:
    what = {"--event-time": "when a row happened", "--entity": "the customer's number"}

    def choose(flag: str, table: str, candidates: list[str]) -> str:
        if ask is None:
            raise ConfigError(
                f"{flag}: more than one column of {table} could say {what[flag]}: {', '.join(candidates)}. "
                f"Choose: {flag} {table}={candidates[0]}"
            )
        while (answer := ask(f"{table}: which column says {what[flag]}? ({', '.join(candidates)})")) not in candidates:
            pass
        return answer

    return choose


def _summary(project: Project, plan: Plan) -> list[str]:
    name, weeks = plan.answers.name, plan.weeks
    lines = [f"configs/{name} is written, and valid. Nothing else was changed.", ""]
    for table in plan.tables:
        one_each = ", one row per customer as of today" if table.is_state else ""
        lines.append(f"  {table.name}: {table.kind} by {table.event_time}, known at {table.known_at}{one_each}")
        if table.nobody:
            said = ", ".join(["an empty cell", *NULL_WORDS[:1], *table.column_of(plan.entity).null_words])
            lines.append(
                f"  WARNING {table.name}: no customer in {counted(table.nobody, 'row')} ({said} or the like), to be "
                "set aside"
            )
        if table.twice:
            lines.append(
                f"  WARNING {table.name}: more than one row of {counted(table.twice, 'customer')}; taken for one row "
                "per customer all the same. An equal row is set aside, and so are rows of one instant that differ"
            )
        if table.early > EARLY_SHARE:
            lines.append(
                f"  WARNING {table.name}: in some weeks more than {declared_percent(EARLY_SHARE)} of the rows were "
                f"known before they happened ({table.event_time} after {table.known_at}): another time zone, or plans? "
                "See max_early_share in sources.yaml"
            )
    table = plan.target_table
    if plan.target.kind == "state" and table.once:
        lines.append(
            f"  WARNING {table.name}: nobody has two rows. One row per customer as of today has no history, so no "
            f"state ever changes in it. Give a file of the changes, or, if {table.name} has the date of it: --target "
            f"date:{table.name}.COLUMN"
        )
    if plan.target.kind == "date":
        lines.append(
            f"  {table.name}: as of today. A date that was entered late or taken back is not known as it was then; see "
            "label.sql"
        )
    until = weeks.last or "now on, every Monday"
    lines += [f"  scored from {weeks.first} to {until}; holdout {weeks.holdout} weeks", ""]
    lines += ["Review first, in sources.yaml (every guess is marked `# review:`):"]
    lines += [f"  {line}" for line in reviews(plan)]
    lines += [
        "Then population.sql (who is in scope), label.sql (what is predicted) and requirements.yaml (what a model must",
        "reach; its numbers come from prudence, not from your data).",
        "",
    ]
    data_class = "public" if plan.answers.synthetic else plan.answers.data_class
    settings = project.settings
    has_key = settings.pseudonym_key_file is not None or settings.pseudonym_key.get_secret_value() != DEMO_KEY
    if data_class != "public" and not has_key:
        lines.append(f"The tables are {data_class}, so a pseudonym key of your own is needed: make key")
    if data_class == "confidential":
        open_to_others = [one.path for one in plan.tables if (project.root / one.path).stat().st_mode & OTHERS]
        if open_to_others:
            lines.append(f"A confidential file may not be open to others: chmod 600 {' '.join(open_to_others)}")
    return [*lines, f"Next: ds-pipeline check {name}"]
