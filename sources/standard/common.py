"""What several resources of SS 12000 share: meta, dates, marking, and the query parameters made of them."""

from __future__ import annotations

from .model import Enumeration, Parameter, Property, Scalar, SortKey, Structure, Test

META = Structure(
    "Meta",
    "When a record was created and last changed at its source (metadata).",
    (
        Property("created", Scalar.DATE_TIME, "When the record was created.", required=True),
        Property("modified", Scalar.DATE_TIME, "When a property directly on the record last changed.", required=True),
    ),
)

ID = Property("id", Scalar.ID, "The record's identity, the same in every participating system.", required=True)
META_PROPERTY = Property("meta", META, "When the record was created and last changed.", required=True)
META_OPTIONAL = Property("meta", META, "When the record was created and last changed.")
DISPLAY_NAME = Property("displayName", Scalar.STRING, "A name to show (visningsnamn).", required=True)
START_DATE = Property("startDate", Scalar.DATE, "First day of validity, inclusive (startdatum).", required=True)
START_DATE_OPTIONAL = Property("startDate", Scalar.DATE, "First day of validity, inclusive (startdatum).")
END_DATE = Property("endDate", Scalar.DATE, "Last day of validity, inclusive; none means open (slutdatum).")

SECURITY_MARKING = Enumeration(
    "SecurityMarking",
    "How a person's data is protected (sekretessmarkering).",
    ("Ingen", "Sekretessmarkering", "Skyddad folkbokföring"),
)

SCHOOL_TYPE = Enumeration(
    "SchoolType",
    "The form of schooling (skolform).",
    (
        "FS", "FKLASS", "FTH", "OPPFTH", "GR", "GRS", "TR", "SP", "SAM", "GY", "GYS", "VUX", "VUXSFI", "VUXGR",
        "VUXGY", "VUXSARGR", "VUXSARTR", "VUXSARGY", "SFI", "SARVUX", "SARVUXGR", "SARVUXGY", "KU", "YH", "FHS", "STF",
        "KKU", "HS", "ABU", "AU",
    ),
)  # fmt: skip

CURRICULUM = Enumeration(
    "Curriculum",
    "The curriculum that a syllabus belongs to (läroplan).",
    (
        "Lgy70", "Lgr80", "Lpo94", "Lpf94", "Lpfö98", "GR2000", "GY2000", "GYSÄR2000", "GYVUX2000", "GYVUX2001",
        "GYVUX2002", "GR2011", "GRSÄR2011", "SPEC2011", "SAM2011", "Lvux12", "GY2011", "GYSÄR2013", "VU2013",
    ),
)  # fmt: skip

MODIFIED_DESC = SortKey("ModifiedDesc", "meta.modified", descending=True)
DISPLAY_NAME_ASC = SortKey("DisplayNameAsc", "displayName", descending=False)


def sort_both(name: str, column: str) -> tuple[SortKey, SortKey]:
    """``<name>Asc`` and ``<name>Desc`` over one column."""
    return SortKey(f"{name}Asc", column, descending=False), SortKey(f"{name}Desc", column, descending=True)


META_PARAMETERS = (
    Parameter("meta.created.before", Scalar.DATE_TIME, Test.ON_OR_BEFORE, ("meta.created",),
              "Created at this instant or earlier (inclusive)."),
    Parameter("meta.created.after", Scalar.DATE_TIME, Test.AFTER, ("meta.created",),
              "Created later than this instant (exclusive)."),
    Parameter("meta.modified.before", Scalar.DATE_TIME, Test.ON_OR_BEFORE, ("meta.modified",),
              "Last changed at this instant or earlier (inclusive)."),
    Parameter("meta.modified.after", Scalar.DATE_TIME, Test.AFTER, ("meta.modified",),
              "Last changed later than this instant (exclusive)."),
)  # fmt: skip

START_DATE_PARAMETERS = (
    Parameter("startDate.onOrBefore", Scalar.DATE, Test.ON_OR_BEFORE, ("startDate",),
              "Starts on this day or earlier (inclusive)."),
    Parameter("startDate.onOrAfter", Scalar.DATE, Test.ON_OR_AFTER, ("startDate",),
              "Starts on this day or later (inclusive)."),
)  # fmt: skip
START_DATE_OPEN_PARAMETERS = (
    Parameter("startDate.onOrBefore", Scalar.DATE, Test.ON_OR_BEFORE_OR_OPEN, ("startDate",),
              "Starts on this day or earlier (inclusive); records without a start date are always included."),
    Parameter("startDate.onOrAfter", Scalar.DATE, Test.ON_OR_AFTER_OR_OPEN, ("startDate",),
              "Starts on this day or later (inclusive); records without a start date are always included."),
)  # fmt: skip
END_DATE_PARAMETERS = (
    Parameter("endDate.onOrBefore", Scalar.DATE, Test.ON_OR_BEFORE_OR_OPEN, ("endDate",),
              "Ends on this day or earlier (inclusive); records without an end date are always included."),
    Parameter("endDate.onOrAfter", Scalar.DATE, Test.ON_OR_AFTER_OR_OPEN, ("endDate",),
              "Ends on this day or later (inclusive); records without an end date are always included."),
)  # fmt: skip
