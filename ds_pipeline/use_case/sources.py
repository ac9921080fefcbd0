"""sources.yaml: where each table lies, what its columns are, and what becomes of each at the PII boundary."""

from __future__ import annotations

import codecs
import re
from collections import Counter
from datetime import date
from graphlib import CycleError, TopologicalSorter
from pathlib import PurePosixPath
from typing import Annotated, Literal, get_args

from pydantic import Field, field_validator, model_validator

from ds_pipeline.use_case.model import FileModel
from ds_pipeline.use_case.problem import Day, Name, Text, ZoneName

DataClass = Literal["public", "internal", "confidential", "restricted"]
Identifies = Literal["direct", "quasi", "sensitive", "no"]
Treatment = Literal["drop", "keep", "token", "initial", "band", "prefix", "categories", "redact"]
Holds = Literal["name", "email", "phone", "address", "postcode", "id", "birth_date"]
TextEngine = Literal["embedded", "en_core_web_sm", "en_core_web_lg", "patterns"]
ColumnType = Literal["string", "integer", "decimal", "double", "boolean", "date", "timestamp"]

# What is left of a direct identifier may only be nothing, a pseudonym, or one letter; free text is redacted.
TREATMENTS_OF: dict[str, frozenset[str]] = {
    "direct": frozenset({"drop", "token", "initial", "redact"}),
    "quasi": frozenset({"drop", "keep", "token", "band", "prefix", "categories"}),
    "sensitive": frozenset({"drop", "keep", "band", "categories", "redact"}),
    "no": frozenset({"drop", "keep"}),
}
TYPES_OF: dict[str, frozenset[str]] = {
    "band": frozenset({"date"}),
    "prefix": frozenset({"string"}),
    "categories": frozenset({"string"}),
    "initial": frozenset({"string"}),
    "redact": frozenset({"string"}),
    "token": frozenset({"string", "integer"}),
}
FORMAT_PARTS = frozenset("dmYybBHIpMSfz%")  # of a date; %Z is left out, since CET or IST are not one zone each
# What exports of databases and of pandas write where there is nothing; upper and lower case are the same.
NULL_WORDS = ("NULL", "NA", "N/A", "#N/A", "<NA>", "NaN", "NaT", "None", r"\N")
MOST_BUCKETS = 1024  # each is a file a week
EARLY_SHARE = 0.01  # of rows known before they happened, where a table says nothing: a clock that runs ahead
ISO = "iso"  # in formats: 2011-03-07, 2011-03-07 09:30, 2011-03-07T09:30:15.25
PLAIN_TRANSFER = ("http", "ftp")  # anyone on the way could read the rows
# What a treatment already says of the values it is given; for the others the column says it.
HELD_BY: dict[str, Holds] = {"token": "id", "initial": "name", "prefix": "postcode", "band": "birth_date"}


class Column(FileModel):
    """One column of a source: its type, its rules, whom it identifies, and its treatment at the boundary.

    Attributes:
        alias: its name behind the boundary.
        holds: what the value is; the texts of the same person are searched for it. Treatments other than drop and keep
            say it themselves.
        categories: with treatment categories: the values that stay; any other becomes 'other'.
        bands: with treatment band: the ages at which a band begins after the first; ten years each if left out.
        scan_exempt: why a value here may equal an identifier without being one; the leak scan then does not compare
            the column with the raw identifiers, and lists it with the reason.
        scale: digits after the point of a decimal.
        formats: how dates and times in text are written, as strptime says it (%d/%m/%Y %H:%M), or `iso`; only iso if
            left out. A cell that two of them read differently is not read at all.
        decimal_mark: what stands before the fraction in a number that is text.
        time_zone: the zone of this column's times, where it is not that of the table.
        null_words: what a cell says that holds nothing, instead of NULL_WORDS; an empty cell is always one.
        since: the day on which the source began to hold it; a file of rows that were all known before may lack it.
    """

    alias: Name
    type: ColumnType
    nullable: bool
    identifies: Identifies
    treatment: Treatment
    meaning: Text
    token_domain: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,15}$")] | None = None
    holds: Holds | None = None
    categories: Annotated[list[Text], Field(min_length=1)] | None = None
    bands: Annotated[list[Annotated[int, Field(ge=1, le=120)]], Field(min_length=1)] | None = None
    scan_exempt: Text | None = None
    scale: Annotated[int, Field(ge=0, le=9)] | None = None
    formats: Annotated[list[Text], Field(min_length=1)] | None = None
    decimal_mark: Literal[".", ","] = "."
    time_zone: ZoneName | None = None
    null_words: list[Text] = Field(default_factory=lambda: list(NULL_WORDS))
    since: Day | None = None
    minimum: float | Day | None = None
    above: float | None = None
    maximum: float | Day | None = None

    @field_validator("formats")
    @classmethod
    def _are_formats(cls, value: list[str] | None) -> list[str] | None:
        for one in value or []:
            parts = set(re.findall(r"%(.)", one))
            if one != ISO and not (parts <= FORMAT_PARTS and parts & set("Yy") and parts & set("mbB") and "d" in parts):
                raise ValueError(
                    f"{one!r} is not a format of a date; expected iso, or day, month and year such as %d/%m/%Y or "
                    f"%d.%m.%y %H:%M, from {' '.join(f'%{part}' for part in sorted(FORMAT_PARTS))}"
                )
            if ("p" in parts) != ("I" in parts):
                raise ValueError(f"{one!r}: %I, the hour up to 12, and %p, am or pm, need each other")
        return value

    @model_validator(mode="after")
    def _is_consistent(self) -> Column:
        allowed = TREATMENTS_OF[self.identifies]
        if self.treatment not in allowed:
            raise ValueError(
                f"a column with identifies: {self.identifies} cannot be treated by {self.treatment!r}; "
                f"choose one of: {', '.join(sorted(allowed))}"
            )
        types = TYPES_OF.get(self.treatment)
        if types and self.type not in types:
            raise ValueError(
                f"treatment {self.treatment!r} needs the type {' or '.join(sorted(types))}, not {self.type}"
            )
        if (self.treatment == "token") != (self.token_domain is not None):
            raise ValueError("token_domain is for treatment: token, and is needed there")
        if (self.treatment == "categories") != (self.categories is not None):
            raise ValueError("categories is for treatment: categories, and is needed there")
        if lost := {word.lower() for word in self.null_words} & {one.strip().lower() for one in self.categories or []}:
            raise ValueError(f"categories: {', '.join(sorted(lost))} says that there is nothing; see null_words")
        if self.bands is not None and (self.treatment != "band" or sorted(set(self.bands)) != self.bands):
            raise ValueError("bands is for treatment: band, and names ages in ascending order")
        if self.identifies == "direct" and self.treatment == "drop" and self.holds is None:
            raise ValueError(f"a dropped identifier needs holds, one of: {', '.join(get_args(Holds))}")
        if self.holds is not None and self.holds != HELD_BY.get(self.treatment, self.holds):
            raise ValueError(f"treatment {self.treatment!r} is for holds: {HELD_BY[self.treatment]}, not {self.holds}")
        if self.holds is not None and (self.identifies == "no" or self.treatment == "redact"):
            raise ValueError("holds is for a column that identifies and is not a text to redact")
        if self.scan_exempt is not None and self.identifies != "no":
            raise ValueError("scan_exempt is for a column with identifies: no")
        if (self.type == "decimal") != (self.scale is not None):
            raise ValueError("scale is for type: decimal, and is needed there")
        is_time = self.type in ("date", "timestamp")
        if not is_time and (self.formats or self.time_zone):
            raise ValueError("formats and time_zone are for the types date and timestamp")
        if self.since is not None and not self.nullable:
            raise ValueError("since is for a column that older rows have not got: it needs nullable: true")
        if self.decimal_mark != "." and self.type not in ("decimal", "double"):
            raise ValueError("decimal_mark is for the types decimal and double")
        for limit in (self.minimum, self.maximum, self.above):
            if limit is not None and (isinstance(limit, date) != is_time or self.type in ("string", "boolean")):
                raise ValueError(f"minimum, above and maximum do not fit the type {self.type}")
        low = self.minimum if self.above is None else self.above
        if low is not None and self.maximum is not None and low > self.maximum:  # type: ignore[operator]
            raise ValueError(f"no value lies between {low} and {self.maximum}")
        if self.minimum is not None and self.above is not None:
            raise ValueError("minimum and above say the same; keep one")
        return self

    @property
    def held(self) -> Holds | None:
        """What of a person the raw value is, by which that person's texts can be searched; None for other columns."""
        if self.identifies == "no" or self.treatment == "redact":
            return None
        return self.holds or HELD_BY.get(self.treatment)


class KAnonymity(FileModel):
    """How many people must share each combination of the quasi-identifiers that a table keeps.

    Attributes:
        k: the least number of people with the same combination.
        from_entities: a table of fewer people is too young to be judged; the figure is then reported only.
    """

    k: Annotated[int, Field(ge=2)]
    from_entities: Annotated[int, Field(ge=0)] = 0


class Limit(FileModel):
    """A time that another table has of the same person, joined by their token.

    Attributes:
        table: the other table.
        column: alias of a date or timestamp there.
    """

    table: Name
    column: Name


class Possible(FileModel):
    """When rows of a person can be true at all. What lies outside stays, and is counted as impossible.

    Attributes:
        not_before: event_time is not before the earliest such time of the person, such as their sign-up.
        not_after: event_time is not after the one in the newest row of the person, such as a cancellation; none there
            means no limit.
    """

    not_before: Limit | None = None
    not_after: Limit | None = None

    @model_validator(mode="after")
    def _limits_something(self) -> Possible:
        if not self.limits:
            raise ValueError("possible needs not_before, not_after, or both")
        return self

    @property
    def limits(self) -> dict[str, Limit]:
        """The limits that are declared, by their name."""
        both = {"not_before": self.not_before, "not_after": self.not_after}
        return {name: one for name, one in both.items() if one is not None}


class Table(FileModel):
    """One source table.

    Attributes:
        path: a file, a pattern such as data/events/*.csv, or a folder, inside the project; or an fsspec URL of these.
        format: how the files are written; or `query`, for a database.
        query: one SELECT, in the dialect of the database.
        connection_env: the environment variable, also one of .envrc.local, with the address: postgresql://... or
            sqlite:///file below the project.
        encoding: of text files; their bytes must fit it.
        delimiter: between the cells of CSV.
        added_columns: a column that is not declared stops the run (refuse), or is left unread with a warning (warn).
        possible: when rows of a person can be true at all.
        kind: events append; versions keep every version of a row, and the newest known and happened before D counts.
        time_zone: the zone of timestamps that carry none.
        event_time: alias of the column that says when it happened.
        known_at: alias of the column that says when the row became visible; it decides what D may see.
        key: aliases that identify a row; empty where no natural key exists (exact duplicates are then set aside).
        entity: aliases that identify what a version is a version of.
        replayable: the source, cut at D, still gives what it gave at D.
        allow_silent_weeks: a week in which no event became known is an answer, not a source that is late or has ended.
        max_early_share: of the rows of a partition, rounded up, that may be known before they happened: a clock that
            runs ahead; more are another time zone, or things that are planned (0..1).
        max_quarantine_share: a partition with a larger share of faulty rows stops the run (0..1).
        k_anonymity: the limit for the quasi-identifiers that stay; needed where any do and a person is known by token.
        meaning: what one row is.
        origin, licence, citation: where the data come from; like meaning, for people and data/README.md.
    """

    meaning: Text
    kind: Literal["events", "versions"]
    path: str = ""
    format: Literal["parquet", "csv", "jsonl", "query"]
    query: Text | None = None
    connection_env: Annotated[str, Field(pattern=r"^[A-Z_][A-Z0-9_]*$")] | None = None
    encoding: Text = "utf-8"
    delimiter: Literal[",", ";", "\t", "|"] = ","
    added_columns: Literal["refuse", "warn"] = "refuse"
    possible: Possible | None = None
    data_class: DataClass
    synthetic: bool
    time_zone: ZoneName
    event_time: Text
    known_at: Text
    key: list[Text]
    entity: list[Text]
    replayable: bool
    max_quarantine_share: Annotated[float, Field(ge=0, le=1)]
    allow_silent_weeks: bool = False
    max_early_share: Annotated[float, Field(ge=0, le=1)] = EARLY_SHARE
    k_anonymity: KAnonymity | None = None
    origin: Text | None = None
    licence: Text | None = None
    citation: Text | None = None
    columns: Annotated[dict[Text, Column], Field(min_length=1)]

    @field_validator("path")
    @classmethod
    def _is_inside(cls, value: str) -> str:
        scheme, is_url, rest = value.partition("://")
        if is_url and ("::" in value or "@" in rest.split("/")[0] or not re.fullmatch(r"[a-z][a-z0-9+.-]*", scheme)):
            raise ValueError(
                "path must be a plain URL: no user or password in it (they belong in the environment), no chain with ::"
            )
        if (not is_url and PurePosixPath(value).is_absolute()) or ".." in PurePosixPath(value).parts:
            raise ValueError("path must be relative to the project and stay inside it")
        return value

    @field_validator("encoding")
    @classmethod
    def _is_encoding(cls, value: str) -> str:
        try:
            return codecs.lookup(value).name
        except LookupError:
            raise ValueError(f"unknown encoding {value!r}; expected one such as utf-8, cp1252 or utf-16") from None

    @model_validator(mode="after")
    def _is_consistent(self) -> Table:
        by_alias = {column.alias: column for column in self.columns.values()}
        problems = self._against_format()
        twice = [alias for alias, n in Counter(column.alias for column in self.columns.values()).items() if n > 1]
        if twice:
            problems.append(f"two columns have the alias {', '.join(twice)}")
        for field in ("event_time", "known_at"):
            column = by_alias.get(getattr(self, field))
            if column is None or column.type != "timestamp" or column.treatment != "keep" or column.nullable:
                problems.append(f"{field} must name the alias of a timestamp column that is kept and not nullable")
        for field in ("key", "entity"):
            unknown = [
                name for name in getattr(self, field) if name not in by_alias or by_alias[name].treatment == "drop"
            ]
            if unknown:
                problems.append(f"{field}: {', '.join(unknown)} is not the alias of a column that stays")
        if self.kind == "versions" and not (self.entity and self.key):
            problems.append("a table of versions needs entity and key")
        if self.kind == "events" and self.entity:
            problems.append("entity is for tables of versions")
        if self.quasi_identifiers and self.tokens and self.k_anonymity is None:
            problems.append(
                f"{', '.join(self.quasi_identifiers)} can single people out together; declare k_anonymity: {{k: 5}}, "
                "or treat them by drop"
            )
        if self.k_anonymity is not None and not (self.quasi_identifiers and self.tokens):
            problems.append(
                "k_anonymity: no quasi-identifier stays that it could judge, or no token to count people by"
            )
        problems += self._against_class()
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _against_format(self) -> list[str]:
        """Which keys are missing or meaningless for the way the table is read."""
        is_query, problems = self.format == "query", []
        if is_query and (self.path or not self.query or not self.connection_env):
            problems.append("format: query needs query and connection_env, and no path")
        if not is_query and (not self.path.strip() or self.query or self.connection_env):
            problems.append(f"format: {self.format} needs path; query and connection_env are for format: query")
        if self.query and not re.match(r"(?i)\s*(select|with)\b", self.query):
            problems.append("query must be one SELECT")
        if self.encoding != "utf-8" and self.format not in ("csv", "jsonl"):
            problems.append("encoding is for the formats csv and jsonl")
        if self.delimiter != "," and self.format != "csv":
            problems.append("delimiter is for the format csv")
        known_at = next((one for one in self.columns.values() if one.alias == self.known_at), None)
        if is_query and known_at is not None and known_at.formats:
            problems.append("known_at of a query is compared in the database: cast it in the query, without formats")
        if self.possible is not None and not self.tokens:
            problems.append("possible joins by token, and no token stays")
        return problems

    def _against_class(self) -> list[str]:
        """Where the table breaks the rules of its class; what only the file itself can tell is left to the reading."""
        problems = []
        if self.synthetic and self.data_class != "public":
            problems.append(f"data_class: a synthetic table is public, not {self.data_class}; nobody in it exists")
        if self.data_class != "public" and self.path.partition("://")[0] in PLAIN_TRANSFER:
            problems.append(f"a table of class {self.data_class} is not fetched unencrypted: choose another URL")
        if self.data_class != "restricted":
            return problems
        if self.format != "query":
            problems.append("a restricted table may only be read by a database query, not from a file")
        names = [alias for alias, one in self.kept.items() if one.treatment == "initial"]
        if names:
            problems.append(
                f"the direct identifiers of a restricted table are dropped or become tokens; {', '.join(names)} would "
                "leave an initial"
            )
        plain = [alias for alias, one in self.kept.items() if one.identifies != "no" and one.treatment == "keep"]
        if plain:
            problems.append(
                f"nothing that identifies stays as it is in a restricted table; {', '.join(plain)} would: choose drop, "
                "token, band, prefix or categories"
            )
        return problems

    @property
    def lies_at(self) -> str:
        """Where the table is read from, as messages say it: never an address."""
        return self.path if self.format != "query" else f"query on {self.connection_env}"

    @property
    def counts_once(self) -> bool:
        """Whether a key stands for one event, however often and in whatever week it is delivered."""
        return self.kind == "events" and bool(self.key) and self.known_at not in self.key

    def person(self, entity: str) -> str | None:
        """The alias of the token by which people are counted: the use case's entity if it is there, else the first."""
        return entity if entity in self.tokens else next(iter(self.tokens), None)

    @property
    def kept(self) -> dict[str, Column]:
        """The columns that exist behind the boundary, by alias, in declared order."""
        return {column.alias: column for column in self.columns.values() if column.treatment != "drop"}

    @property
    def quasi_identifiers(self) -> list[str]:
        """Aliases of the columns that stay and could single a person out together; an initial is one as well."""
        return [
            alias
            for alias, one in self.kept.items()
            if one.identifies != "no" and one.treatment not in ("token", "redact")
        ]

    @property
    def tokens(self) -> dict[str, str]:
        """The token columns by alias, with the domain of each."""
        return {alias: str(one.token_domain) for alias, one in self.kept.items() if one.treatment == "token"}

    @property
    def held(self) -> dict[str, Holds]:
        """What of a person the raw columns hold, by alias."""
        return {column.alias: column.held for column in self.columns.values() if column.held is not None}

    @property
    def texts(self) -> list[str]:
        """Aliases of the columns of free text."""
        return [alias for alias, one in self.kept.items() if one.treatment == "redact"]

    def source_name(self, alias: str) -> str:
        """The name in the source of the column with this alias."""
        return next(name for name, column in self.columns.items() if column.alias == alias)


class Simulation(FileModel):
    """What makes the files of a synthetic use case: so many users, so many weeks up to its last one, from one seed."""

    simulator: Literal["subscriptions"]
    users: Annotated[int, Field(ge=1)]
    weeks: Annotated[int, Field(ge=1)]
    seed: Annotated[int, Field(ge=0, lt=2**32)]


class Sources(FileModel):
    """All tables of a use case.

    Attributes:
        simulation: what makes files that are missing; only for a use case all of whose tables are synthetic.
        text_engine: what finds names and places in free text; all but embedded and patterns must be installed.
        buckets: how many parts a week of a table is cut into, by the person; features and labels are made part by part.
            It decides how much memory a part takes and how many can be worked on at a time, and no byte of a result.
    """

    text_engine: TextEngine = "embedded"
    buckets: Annotated[int, Field(ge=1, le=MOST_BUCKETS)] = 1
    simulation: Simulation | None = None
    tables: Annotated[dict[Name, Table], Field(min_length=1)]

    @model_validator(mode="after")
    def _simulates_nothing_real(self) -> Sources:
        real = [name for name, table in self.tables.items() if not table.synthetic]
        if self.simulation is not None and real:
            raise ValueError(
                f"simulation is for synthetic tables; {', '.join(real)} would be replaced by invented rows"
            )
        return self

    @model_validator(mode="after")
    def _limits_can_be_joined(self) -> Sources:
        """What `possible` names is there, shares a token, and comes before the table that it limits."""
        problems, needs = [], {}
        for name, table in self.tables.items():
            limits = table.possible.limits if table.possible else {}
            needs[name] = {limit.table for limit in limits.values()}
            for kind, limit in limits.items():
                other = self.tables.get(limit.table)
                column = other.kept.get(limit.column) if other else None
                where = f"tables.{name}.possible.{kind}"
                if other is None or column is None or column.type not in ("date", "timestamp"):
                    problems.append(f"{where}: {limit.table}.{limit.column} is not a date or timestamp that stays")
                elif column.treatment != "keep":
                    problems.append(f"{where}: {limit.table}.{limit.column} is not kept as it is")
                elif self.shared_token(name, limit.table) is None:
                    problems.append(f"{where}: {name} and {limit.table} have no token of the same domain")
        try:
            TopologicalSorter(needs).prepare()
        except CycleError:
            problems.append("possible: tables limit each other in a circle, so none of them can come first")
        if problems:
            raise ValueError("; ".join(problems))
        return self

    @property
    def allow_silent_weeks(self) -> bool:
        """Whether some table may have no row in a week, so that a week may have nobody in scope."""
        return any(table.allow_silent_weeks for table in self.tables.values())

    def divides(self, table: str, *, entity: str) -> bool:
        """Whether a table is cut into buckets, by the column of the entity; where not, each bucket is given all of it.

        Versions of something else than the entity stay whole: a subscription that passes to another person would be
        in two buckets, and each would take its newest row there for the newest of all.
        """
        one = self.tables[table]
        return self.buckets > 1 and entity in one.tokens and (one.kind == "events" or entity in one.entity)

    def shared_token(self, table: str, other: str) -> tuple[str, str] | None:
        """The aliases, in one table and in another, of the first token of the same domain; None without one."""
        there = {domain: alias for alias, domain in reversed(self.tables[other].tokens.items())}
        return next(
            ((alias, there[domain]) for alias, domain in self.tables[table].tokens.items() if domain in there), None
        )

    def owner_tables(self, table: str, *, entity: str) -> list[str]:
        """The tables that know the people whom the texts of a table are about; none without a text or a person."""
        about = self.tables[table]
        person = about.person(entity)
        if person is None or not about.texts:
            return []
        return [name for name, one in self.tables.items() if about.tokens[person] in one.tokens.values()]
