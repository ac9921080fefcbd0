"""The plan of a starter: what each table and column becomes, the clock, and the features; writing it is write.py's."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from ds_pipeline.errors import ConfigError
from ds_pipeline.starter.answers import Answers, Target, alias_of, read_columns, read_tables, read_target
from ds_pipeline.starter.pii import FIXED, Guess, Look, guess_column, is_birth_date, listed, words_of
from ds_pipeline.starter.profile import ColumnProfile, SourceFile, TableProfile, TimeSpan

K = 5  # people who must share each combination of quasi-identifiers
CHANGES = listed("updated update changed change modified valid effective asof snapshot version")
TARGET = "--target"
NUMBER_WORDS = frozenset({"id", "no", "nr", "number", "key"})
WINDOWS = (90, 60, 30)  # days; the longest that leaves enough weeks
SPLITS = ((8, 4), (6, 4), (4, 3), (3, 2), (2, 1))  # holdout weeks and validation weeks
FIT_WEEKS = 4  # to fit on in the search, at least

# Given a question and the possible answers, one of them; raises ConfigError where nobody can be asked.
Choose = Callable[[str, str, list[str]], str]


@dataclass(frozen=True)
class ColumnPlan:
    """One column as sources.yaml will declare it."""

    source: str
    alias: str
    type: str
    scale: int | None
    nullable: bool
    guess: Guess
    meaning: str
    profile: ColumnProfile


@dataclass(frozen=True)
class TablePlan:
    """One table as sources.yaml will declare it; column names are aliases.

    Attributes:
        is_state: one row per person, as it is today; what changes after event_time would tell the future.
        once: an event that nobody has twice.
    """

    name: str
    path: str
    format: str
    delimiter: str
    kind: str
    event_time: str
    known_at: str
    key: list[str]
    entity: list[str]
    is_state: bool
    once: bool
    replayable: bool
    silent_weeks: bool
    k: int | None
    columns: list[ColumnPlan]
    span: TimeSpan
    delay_days: int

    @property
    def kept(self) -> list[ColumnPlan]:
        return [one for one in self.columns if one.guess.treatment != "drop"]

    @property
    def numbers(self) -> list[ColumnPlan]:
        """The columns that are amounts or counts."""
        numbers = ("integer", "decimal", "double")
        return [one for one in self.columns if one.guess.treatment == "keep" and one.type in numbers]

    def column(self, source: str) -> ColumnPlan:
        return next(one for one in self.columns if one.source == source)


@dataclass(frozen=True)
class Weeks:
    """The clock and how its weeks are shared out.

    Attributes:
        last: None where the data reach into the present week: a live use case.
        window_days: the longest window of a feature.
    """

    first: date
    last: date | None
    window_days: int
    short_days: int
    settle_days: int
    holdout: int
    validation: int


@dataclass(frozen=True)
class Plan:
    """All that the files of a starter say."""

    answers: Answers
    target: Target
    entity: str
    tables: list[TablePlan]
    weeks: Weeks
    today: date

    @property
    def events(self) -> list[TablePlan]:
        return [one for one in self.tables if one.kind == "events"]

    @property
    def versions(self) -> list[TablePlan]:
        return [one for one in self.tables if one.kind == "versions"]

    @property
    def target_table(self) -> TablePlan:
        return next(one for one in self.tables if one.name == self.target.table)

    @property
    def register(self) -> TablePlan:
        """The table that knows the customers: one of versions if there is one."""
        return (self.versions or self.tables)[0]


def make_plan(answers: Answers, files: dict[str, SourceFile], *, look: Look, choose: Choose, today: date) -> Plan:
    """Look at every table and decide what the starter says of it.

    Args:
        files: by table name, from `open_files`.
        look: finds identifiers in texts.
        choose: asks the user where more than one answer is possible.

    Raises:
        ConfigError: an answer does not fit the data; says which would.
        SourceError: a file cannot be read.
    """
    names = list(files)
    target = read_target(answers.target, names)
    keys = read_columns("--entity", answers.entity, names)
    event_times = read_columns("--event-time", answers.event_time, names)
    known_ats = read_columns("--known-at", answers.known_at, names)
    entity = _entity_alias(keys, names)
    tables = []
    for name, file in files.items():
        profile = file.profile()
        key = _column("--entity", profile, keys.get(name), list(profile.columns), choose)
        times = [one for one in profile.times() if not is_birth_date(one)]
        event_time = _column("--event-time", profile, event_times.get(name), times, choose)
        known_at = known_ats.get(name) or event_time
        if known_at not in times:
            raise _no_column("--known-at", profile, known_at, times)
        tables.append(_table(file, profile, key, entity, event_time, known_at, target, look))
    return Plan(answers, target, entity, tables, plan_weeks(tables, answers, today), today)


def open_files(answers: Answers, open_file: Callable[[str, str], SourceFile]) -> dict[str, SourceFile]:
    """The files of the answers, by table name; open_file takes a path and a name."""
    return {name: open_file(path, name) for name, path in read_tables(answers.tables).items()}


def _entity_alias(keys: dict[str, str], names: list[str]) -> str:
    column = next((keys[name] for name in names if name in keys), None)
    if column is None:
        raise ConfigError("--entity: expected the column of the customer's number, such as --entity customer_id.")
    words = [word for word in alias_of(column).split("_") if word not in ("id", "no", "nr", "number", "key", "code")]
    return "_".join([*words, "token"]) if words else "customer_token"


def _column(flag: str, profile: TableProfile, asked: str | None, candidates: list[str], choose: Choose) -> str:
    """The asked column if it is a candidate; without a question the only candidate; else what the user chooses."""
    if asked is not None:
        if asked not in candidates:
            raise _no_column(flag, profile, asked, candidates)
        return asked
    if not candidates:
        raise _no_column(flag, profile, None, candidates)
    return candidates[0] if len(candidates) == 1 else choose(flag, profile.name, candidates)


def _no_column(flag: str, profile: TableProfile, asked: str | None, candidates: list[str]) -> ConfigError:
    what = "no date column without gaps" if asked is None else f"{asked} cannot be used"
    known = f"known: {', '.join(candidates)}" if candidates else f"columns: {', '.join(profile.columns)}"
    is_time = flag in ("--event-time", "--known-at")
    form = " A date is written like 2024-03-31, a time like 2024-03-31 14:05:00." if is_time else ""
    where = f"{flag} {profile.name}=..." if flag != TARGET else f"{TARGET} state:{profile.name}...."
    return ConfigError(f"{where}: {what} in {profile.name}; {known}.{form}")


def _table(
    file: SourceFile,
    profile: TableProfile,
    key: str,
    entity: str,
    event_time: str,
    known_at: str,
    target: Target,
    look: Look,
) -> TablePlan:
    asked = target.column if target.kind == "state" and target.table == profile.name else None
    if asked is not None and asked not in profile.columns:
        raise _no_column(TARGET, profile, asked, list(profile.columns))
    per_person = file.per_person(key)
    changes = bool(set(words_of(event_time)) & CHANGES)
    is_target_event = target.table == profile.name and asked is None
    kind = "versions" if asked or changes or (per_person == 1 and not is_target_event) else "events"
    is_state = kind == "versions" and per_person == 1 and not changes and asked is None
    taken: set[str] = set()
    columns = []
    for column in profile.columns.values():
        role = {key: "key", event_time: "time", known_at: "time", asked: "state"}.get(column.name, "")
        columns.append(_column_plan(column, role, profile.name, entity, kind, is_state, taken, look))
    columns = _few_enough_groups(file, columns, key, known_at)
    by_source = {one.source: one.alias for one in columns}
    own_key = [one.alias for one in columns if one.guess.treatment == "token" and one.alias != entity]
    is_versions = kind == "versions"
    return TablePlan(
        name=profile.name,
        path=profile.path,
        format=profile.format,
        delimiter=profile.delimiter,
        kind=kind,
        event_time=by_source[event_time],
        known_at=by_source[known_at],
        key=[entity, by_source[known_at]] if is_versions else own_key[:1],
        entity=[entity] if is_versions else [],
        is_state=is_state,
        once=per_person == 1,
        replayable=not (is_versions and per_person == 1 and changes),
        silent_weeks=file.span(known_at).has_silent_weeks,
        k=K if any(one.guess.is_quasi for one in columns) else None,
        columns=columns,
        span=file.span(known_at),
        delay_days=file.delay_days(event_time, known_at),
    )


def _column_plan(
    column: ColumnProfile, role: str, table: str, entity: str, kind: str, is_state: bool, taken: set[str], look: Look
) -> ColumnPlan:
    alias, kind_of_value = _free(alias_of(column.name), taken), column.type
    meaning = column.name.replace("_", " ")
    is_row_number = False
    is_own_key = role == "" and column.is_unique and column.type in ("string", "integer") and kind == "events"
    if role == "key":
        kind_of_value = "integer" if column.type == "integer" else "string"
        guess = Guess(
            "direct", "token", "the customer's number becomes a keyed pseudonym", token_domain=_domain(entity)
        )
        alias, meaning = entity, "the customer's own number, as a keyed pseudonym"
    elif role == "time":
        kind_of_value, guess = "timestamp", Guess("no", "keep", "is this when the row happened, and became visible?")
    elif role == "state":
        guess = Guess("no", "keep", "the target is made of it")
    elif is_own_key and set(words_of(column.name)) & NUMBER_WORDS:
        is_row_number = True
        guess = Guess("direct", "token", "every value once: the number of the row", token_domain=_domain(alias))
        alias = _free("_".join([*[word for word in alias.split("_") if word != "id"], "token"]), taken)
        kind_of_value = "integer" if column.type == "integer" else "string"
    else:
        guess = guess_column(column, look=look)
        if kind == "events" and guess.is_quasi:
            guess = guess.dropped(f"{guess.review}; a table of events should not repeat who the customer is")
        if is_state and guess.treatment == "keep" and not set(words_of(column.name)) & FIXED:
            guess = guess.dropped(
                "as it is today: what can change after the customer came tells the future; keep it only if it cannot"
            )
        if guess.treatment == "band":
            alias, kind_of_value = _free("age_band", taken), "date"
    taken.add(alias)
    return ColumnPlan(
        source=column.name,
        alias=alias,
        type=kind_of_value,
        scale=column.scale if kind_of_value == "decimal" else None,
        nullable=role not in ("key", "time") and not is_row_number,
        guess=guess,
        meaning="age in bands when the row became known" if guess.treatment == "band" else meaning,
        profile=column,
    )


def _few_enough_groups(file: SourceFile, columns: list[ColumnPlan], key: str, known_at: str) -> list[ColumnPlan]:
    """The columns, of which quasi-identifiers are dropped until at least K people share each combination."""
    quasi = [one for one in columns if one.guess.is_quasi]
    # Places go first: they single people out most, and ages and gender are needed to see whether a model is fair.
    order = sorted(quasi, key=lambda one: (one.guess.identifies == "quasi", len(one.guess.categories)), reverse=True)
    gone: set[str] = set()
    while quasi and file.smallest_group(key, [_group(file, one, known_at) for one in quasi]) < K:
        gone.add(order.pop(0).alias)
        quasi = [one for one in quasi if one.alias not in gone]
    return [
        replace(one, guess=one.guess.dropped(f"with it, groups of fewer than {K} people would be left"))
        if one.alias in gone
        else one
        for one in columns
    ]


def _group(file: SourceFile, column: ColumnPlan, known_at: str) -> str:
    """What stays of a quasi-identifier, as an expression over the raw file."""
    quoted = _quoted(column.source)
    if column.guess.treatment == "band":
        years = f"date_part('year', age({file.at(known_at)}, {file.at(column.source)}))"
        return " + ".join(f"coalesce(({years} >= {start})::INT, -1)" for start in column.guess.bands)
    listed = ", ".join(text_literal(value) for value in column.guess.categories)
    return f"CASE WHEN {quoted}::VARCHAR IN ({listed}) THEN {quoted}::VARCHAR WHEN {quoted} IS NOT NULL THEN '*' END"


def plan_weeks(tables: list[TablePlan], answers: Answers, today: date) -> Weeks:
    """The scoring dates that the data allow, with the longest windows that leave weeks to train and to judge on.

    Raises:
        ConfigError: the data are too short for the horizon.
    """
    by_events = [one for one in tables if one.kind == "events"] or tables
    begins = max(one.span.first for one in by_events).date()
    ends = min(
        (one.span.last for one in by_events if not one.silent_weeks), default=max(one.span.last for one in by_events)
    )
    newest = today - timedelta(days=today.weekday())
    is_live = answers.last is None and ends.date() >= newest - timedelta(days=7)
    last = answers.last or (newest if is_live else _monday_before(ends))
    settle = max((one.delay_days for one in tables), default=0)
    lag = math.ceil((answers.horizon_days + settle) / 7)
    for window in WINDOWS:
        day = begins + timedelta(days=window)
        first = answers.first or day + timedelta(days=-day.weekday() % 7)
        there = (last - first).days // 7 + 1
        for holdout, validation in SPLITS:
            training = there - 2 * lag - (holdout - 1)
            if training >= validation + lag + FIT_WEEKS:
                return Weeks(
                    first, None if is_live else last, window, min(30, window // 3), settle, holdout, validation
                )
    needed = 3 * lag + SPLITS[-1][0] - 1 + SPLITS[-1][1] + FIT_WEEKS + WINDOWS[-1] // 7 + 1
    raise ConfigError(
        f"--horizon-days {answers.horizon_days}: the data span {max(0, (last - begins).days // 7)} weeks; with this "
        f"horizon about {needed} are needed to train, to wait for outcomes and to judge. Give more history, or a "
        "shorter horizon."
    )


def _monday_before(moment: datetime) -> date:
    day = moment.date()
    return day - timedelta(days=day.weekday())


def _free(alias: str, taken: set[str]) -> str:
    """The alias, or the next one with a number."""
    numbered = (f"{alias}_{number}" for number in range(2, 10_000))
    return alias if alias not in taken else next(one for one in numbered if one not in taken)


def _domain(alias: str) -> str:
    return alias.removesuffix("_token").removesuffix("_id")[:16].rstrip("_") or "customer"


def text_literal(value: str) -> str:
    """A text as SQL writes it."""
    return "'" + value.replace("'", "''") + "'"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
