"""The plan of a starter: what each table and column becomes, the clock, and the features; writing it is write.py's."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from ds_pipeline.errors import ConfigError
from ds_pipeline.ingestion.database import quoted
from ds_pipeline.masking.columns.spellings import bare
from ds_pipeline.masking.reading.words import listed
from ds_pipeline.starter.answers import Answers, Target, alias_of, read_columns, read_tables, read_target
from ds_pipeline.starter.cells import NO_TYPE
from ds_pipeline.starter.naming import ShownNames, shown_names
from ds_pipeline.starter.pii import FEW_VALUES, FIXED, Guess, Look, guess_column, is_birth_date, words_of
from ds_pipeline.starter.profile import ColumnProfile, SourceFile, TableProfile, TimeSpan, spelled
from ds_pipeline.starter.rates import PeopleRows, TargetRows, base_rate
from ds_pipeline.starter.written import require_tables
from ds_pipeline.use_case.sources import EARLY_SHARE

ASIDE = 0.05  # of the rows of a week; more faulty ones stop the run
K = 5  # people who must share each combination of quasi-identifiers
CHANGES = listed("updated update changed change modified valid effective asof snapshot version")
CHANGEABLE = ("keep", "categories", "redact")  # treatments that leave what the customer is today
TARGET = "--target"
NUMBERS = ("integer", "decimal", "double")
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
    null_words: tuple[str, ...] = ()  # that say that there is nobody, beyond those of NULL_WORDS

    @property
    def doubt(self) -> str:
        """What is not clear of how it is written, where that decides what it becomes."""
        doubt = self.profile.doubt if self.type == self.profile.type and self.guess.treatment != "token" else ""
        return "" if doubt == NO_TYPE and self.guess.treatment == "drop" else doubt  # its treatment says so already


@dataclass(frozen=True)
class TablePlan:
    """One table as sources.yaml will declare it; column names are aliases.

    Attributes:
        is_state: one row per person, as it is today; what changes after event_time would tell the future.
        once: an event that nobody has twice.
        shown: what its columns are called in messages.
        nobody: rows without a customer's number.
        twice: people with more than one row, in a table of one row each.
        aside: share of the rows of a week that may be set aside (0..1).
        early: share of the rows of a week that may be known before they happened (0..1).
    """

    name: str
    path: str
    format: str
    delimiter: str
    encoding: str
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
    shown: ShownNames
    span: TimeSpan
    delay_days: int
    nobody: int
    twice: int
    aside: float
    early: float

    @property
    def kept(self) -> list[ColumnPlan]:
        return [one for one in self.columns if one.guess.treatment != "drop"]

    @property
    def numbers(self) -> list[ColumnPlan]:
        """The columns that are amounts or counts."""
        return [one for one in self.columns if one.guess.treatment == "keep" and one.type in NUMBERS]

    @property
    def days_ago(self) -> str:
        """A column name that the table does not have, for the age of a row."""
        return _free("days_ago", {one.alias for one in self.columns})

    def column_of(self, alias: str) -> ColumnPlan:
        return next(one for one in self.columns if one.alias == alias)

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
    """All that the files of a starter say.

    Attributes:
        base_rate: the share of positives among those in scope, seen in a few weeks of the files (0..1); None where it
            cannot be said.
    """

    answers: Answers
    target: Target
    entity: str
    tables: list[TablePlan]
    weeks: Weeks
    today: date
    base_rate: float | None

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
    def leaves_target_out(self) -> bool:
        """Whether the population leaves out whoever is in the target's table already: nobody is there twice."""
        return self.target.kind == "event" and self.target_table.once

    @property
    def activity(self) -> list[TablePlan]:
        """The tables whose rows say that a customer is there: those the target does not consist of, if there are any.

        None for a date of the customer: whose it is, and where it is empty, says who is there.
        """
        if self.target.kind == "date":
            return []
        if self.target.kind == "no-event":
            return [self.target_table] if self.target_table.kind == "events" else []
        others = [one for one in self.events if one.name != self.target.table]
        return others or ([] if self.target_table.once or self.target.kind == "state" else [self.target_table])

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
    require_tables(answers, names)
    target = read_target(answers.target, names)
    keys = read_columns("--entity", answers.entity, names)
    event_times = read_columns("--event-time", answers.event_time, names)
    known_ats = read_columns("--known-at", answers.known_at, names)
    entity = _entity_alias(keys, names)
    nobody = _forget_nobody(files, keys)
    tables = []
    for name, file in files.items():
        profile = replace(file.profile(), shown=shown_names(list(file.profile().columns), look))
        if profile.shown.lacks_header:
            raise ConfigError(
                f"--table {name}=...: most names of its {len(profile.columns)} columns look like values: is there "
                "a header row? Add one; names stand in clear in files and messages."
            )
        key = _column("--entity", profile, keys.get(name), list(profile.columns), choose)
        require_target(target, profile, file.per_person(key))
        made_of = target.column if target.table == name else None
        times = [one for one in profile.times() if not is_birth_date(one) and (target.kind, made_of) != ("date", one)]
        event_time = _column("--event-time", profile, event_times.get(name), times, choose)
        known_at = profile.shown.meant(known_ats.get(name) or event_time)
        if known_at not in times:
            raise _no_column("--known-at", profile, known_at, times)
        tables.append(_table(file, profile, key, entity, event_time, known_at, target, look, nobody))
    weeks = plan_weeks(tables, answers, today)
    tables = [_with_room(files[table.name], table, entity, weeks.first) for table in tables]
    made = Plan(answers, target, entity, tables, weeks, today, base_rate=None)
    return replace(made, base_rate=seen_base_rate(made, files))


def seen_base_rate(plan: Plan, files: dict[str, SourceFile]) -> float | None:
    """The share of positives among those in scope, in a few weeks of the files themselves (0..1)."""
    table, target = plan.target_table, plan.target
    return base_rate(
        TargetRows(target.kind, _rows_of(plan, table, files), target.column, target.value, plan.leaves_target_out),
        active=[_rows_of(plan, one, files) for one in plan.activity],
        register=_rows_of(plan, plan.register, files),
        first=plan.weeks.first,
        last=plan.weeks.last or plan.today,
        window_days=plan.weeks.window_days,
        horizon_days=plan.answers.horizon_days,
    )


def _rows_of(plan: Plan, table: TablePlan, files: dict[str, SourceFile]) -> PeopleRows:
    source = {one.alias: one.source for one in table.columns}
    return PeopleRows(files[table.name], source[plan.entity], source[table.event_time])


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
    shown = profile.shown
    if asked is not None:
        if shown.meant(asked) not in candidates:
            raise _no_column(flag, profile, asked, candidates)
        return shown.meant(asked)
    if not candidates:
        raise _no_column(flag, profile, None, candidates)
    if len(candidates) == 1:
        return candidates[0]
    return shown.meant(choose(flag, profile.name, [shown.by_name[one] for one in candidates]))


def _no_column(flag: str, profile: TableProfile, asked: str | None, candidates: list[str]) -> ConfigError:
    shown = profile.shown
    unclear = [one for one in profile.columns.values() if one.may_be and shown.meant(asked or one.name) == one.name]
    what = (
        f"no {'clear date' if unclear else 'date column without gaps'}" if asked is None else f"{asked} cannot be used"
    )
    known = f"known: {shown.listed(candidates)}" if candidates else f"columns: {shown.listed(list(profile.columns))}"
    where = f"{flag}{profile.name}...." if flag.startswith(TARGET) else f"{flag} {profile.name}=..."
    text = f"{where}: {what} in {profile.name}; {known}.{shown.hint}"
    if flag not in ("--event-time", "--known-at"):
        return ConfigError(text)
    if unclear:
        return ConfigError(" ".join([text, *(_unclear(profile, one) for one in unclear)]))
    numbers = [
        f"{shown.by_name[one.name]}: {one.doubt}."
        for one in profile.columns.values()
        if one.type == "integer" and one.doubt and shown.meant(asked or one.name) == one.name
    ]
    if numbers:
        return ConfigError(" ".join([text, *numbers]))
    gaps = [
        shown.by_name[name]
        for name in profile.dates()
        if profile.columns[name].nulls and shown.meant(asked or name) == name
    ]
    if gaps:
        return ConfigError(
            f"{text} {' and '.join(gaps)} {'have' if len(gaps) > 1 else 'has'} empty cells: what has no date has not "
            "happened. Give a file of the rows that have one, or predict when it happens, without that table: "
            f"{TARGET} date:{profile.name}.{gaps[0]}"
        )
    written = "is written like 2024-03-31, a time like 2024-03-31 14:05:00"
    return ConfigError(f"{text} A date {'is no text' if profile.format == 'parquet' else written}.")


def _unclear(profile: TableProfile, column: ColumnProfile) -> str:
    """Why a column of dates is not taken for one, and what to do."""
    name, ways = profile.shown.by_name[column.name], column.may_be
    if column.is_mixed:
        return f"{name} is written in more than one way, among them {' and '.join(ways)}: write all dates the same way."
    return (
        f"{name} can be read as {' and '.join(ways)}: say which it is, such as --date-format {profile.name}={ways[0]}"
    )


def require_target(target: Target, profile: TableProfile, per_person: float) -> None:
    """Raise ConfigError unless the column that the target is made of can say it."""
    if target.table != profile.name or target.column is None:
        return
    where = f"{TARGET} {target.kind}:{profile.name}.{target.column}"
    if target.column not in profile.columns:
        raise _no_column(f"{TARGET} {target.kind}:", profile, target.column, list(profile.columns))
    column = profile.columns[target.column]
    if target.kind == "date":
        if column.type not in ("date", "timestamp"):
            raise ConfigError(
                f"{where}: expected a date; the dates of {profile.name}: {profile.shown.listed(profile.dates())}."
            )
        if per_person != 1:
            raise ConfigError(
                f"{where}: expected one row per customer, found {per_person:.1f} on average. A table in which it can "
                f"happen more than once is a target of its own: {TARGET} event:{profile.name}"
            )
    elif target.value is not None and not _occurs(target.value, column):
        raise ConfigError(
            f"{where}=...: no row of the sample has this value, among {column.distinct:,} different ones. Write it as "
            "the file does; capitals and blanks around it do not count."
        )


def _occurs(value: str, column: ColumnProfile) -> bool:
    """Whether a value is in the sample; true where the sample has more values than were looked at, or of a number."""
    if column.type == "boolean":
        return True  # what a yes is written like is asked when the SQL is made
    if column.type in NUMBERS:
        return column.lowest is None or not _is_number(value) or column.lowest <= float(value) <= (column.highest or 0)
    return bare(value) in map(bare, column.sample) or column.distinct > len(column.sample)


def _is_number(value: str) -> bool:
    try:
        return math.isfinite(float(value))
    except ValueError:
        return False


def _table(
    file: SourceFile,
    profile: TableProfile,
    key: str,
    entity: str,
    event_time: str,
    known_at: str,
    target: Target,
    look: Look,
    nobody: tuple[str, ...],
) -> TablePlan:
    asked = target.column if target.table == profile.name else None
    per_person = file.per_person(key)
    changes = bool(set(words_of(event_time)) & CHANGES)
    is_target_event = target.table == profile.name and asked is None
    kind = "versions" if asked or changes or (per_person == 1 and not is_target_event) else "events"
    is_state = kind == "versions" and per_person == 1 and not changes and (asked is None or target.kind == "date")
    taken: set[str] = {entity}
    columns = []
    for column in profile.columns.values():
        role = {key: "key", event_time: "time", known_at: "time", asked: "state"}.get(column.name, "")
        columns.append(_column_plan(column, role, profile.name, entity, kind, is_state, taken, look))
    columns = [_without_number_of_people(file, one, key) if one.source != asked else one for one in columns]
    columns = [replace(one, null_words=nobody) if one.source == key else one for one in columns]
    columns = _few_enough_groups(file, columns, key, known_at)
    by_source = {one.source: one.alias for one in columns}
    own_key = [one.alias for one in columns if one.guess.treatment == "token" and one.alias != entity]
    is_versions = kind == "versions"
    return TablePlan(
        name=profile.name,
        path=profile.path,
        format=profile.format,
        delimiter=profile.delimiter,
        encoding=profile.encoding,
        kind=kind,
        event_time=by_source[event_time],
        known_at=by_source[known_at],
        key=[entity, by_source[known_at]] if is_versions else own_key[:1],
        entity=[entity] if is_versions else [],
        is_state=is_state,
        once=per_person == 1 if is_versions else file.happens_once(key, event_time),
        # A date that comes later is written into the row that is there.
        replayable=not (is_versions and per_person == 1 and (changes or asked is not None)),
        silent_weeks=file.span(known_at).has_silent_weeks,
        k=K if any(one.guess.is_quasi for one in columns) else None,
        columns=columns,
        shown=profile.shown,
        span=file.span(known_at),
        delay_days=file.delay_days(event_time, known_at),
        nobody=file.missing(key),
        twice=file.twice(key) if per_person == 1 else 0,
        aside=ASIDE,
        early=EARLY_SHARE,
    )


def _forget_nobody(files: dict[str, SourceFile], keys: dict[str, str]) -> tuple[str, ...]:
    """The words for nobody in the customer's number of any file; from then on they are missing in all of them."""
    asked = {name: file.profile().shown.meant(keys.get(name, "")) for name, file in files.items()}
    asked = {name: key for name, key in asked.items() if key in files[name].profile().columns}
    words = sorted({word for name, key in asked.items() for word in files[name].nobody(key)})
    for name, key in asked.items() if words else ():
        files[name].forget(key, words)
    return tuple(words)


def _with_room(file: SourceFile, table: TablePlan, entity: str, first: date) -> TablePlan:
    """The table with the shares of a week that may be set aside or early, with room above what was seen of them."""
    person, known_at, event_time = (table.column_of(one).source for one in (entity, table.known_at, table.event_time))
    aside = file.largest_share_aside(person, known_at, one_each=table.kind == "versions", first=first)
    early = file.largest_share_early(event_time, known_at, first=first)
    return replace(
        table, aside=_room(ASIDE, aside), early=_room(EARLY_SHARE, early) if early > EARLY_SHARE else EARLY_SHARE
    )


def _room(usual: float, seen: float) -> float:
    return round(min(1.0, usual + math.ceil(100 * seen) / 100), 2)


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
    elif is_own_key and column.doubt != NO_TYPE and set(words_of(column.name)) & NUMBER_WORDS:
        is_row_number = True
        guess = Guess("direct", "token", "every value once: the number of the row", token_domain=_domain(alias))
        alias = _free("_".join([*[word for word in alias.split("_") if word != "id"], "token"]), taken)
        kind_of_value = "integer" if column.type == "integer" else "string"
    else:
        guess = guess_column(column, look=look)
        if column.doubt == NO_TYPE and guess.treatment != "drop":
            guess = Guess("no", "drop", NO_TYPE)
        if kind == "events" and guess.is_quasi:
            guess = guess.dropped(f"{guess.review}; a table of events should not repeat who the customer is")
        if is_state and guess.treatment in CHANGEABLE and not set(words_of(column.name)) & FIXED:
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


def _without_number_of_people(file: SourceFile, column: ColumnPlan, key: str) -> ColumnPlan:
    """The column, dropped where it is a number that stands for the customer in each of their rows."""
    may_be = column.type == "integer" and column.guess.treatment == "keep" and column.profile.distinct > FEW_VALUES
    if not may_be or not file.names_people(key, column.source):
        return column
    why = "each customer has a number of their own in it: a phone, an account or the like"
    return replace(column, guess=Guess("direct", "drop", why, holds="id"))


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
    name = quoted(column.source)
    if column.guess.treatment == "band":
        years = f"date_part('year', age({file.at(known_at)}, {file.at(column.source)}))"
        return " + ".join(f"coalesce(({years} >= {start})::INT, -1)" for start in column.guess.bands)
    values, value = ", ".join(text_literal(bare(one)) for one in column.guess.categories), spelled(f"{name}::VARCHAR")
    return f"CASE WHEN {value} IN ({values}) THEN {value} WHEN {name} IS NOT NULL THEN '*' END"


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
    scored = 3 * lag + SPLITS[-1][0] - 1 + SPLITS[-1][1] + FIT_WEEKS
    needed = scored + WINDOWS[-1] // 7 + 1
    if answers.first is not None and (last - begins).days // 7 >= needed:
        there = max(0, (last - answers.first).days // 7 + 1)
        raise ConfigError(
            f"--first {answers.first}: from it to {last} there are {there} weeks; "
            f"with a horizon of {answers.horizon_days} days {scored} are needed to train, to wait for outcomes and to "
            "judge. Give an earlier Monday, or leave --first out."
        )
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
