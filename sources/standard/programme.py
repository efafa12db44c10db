"""Programme (program): an education made of courses and subjects."""

from __future__ import annotations

from .common import ID, META_PARAMETERS, META_PROPERTY, MODIFIED_DESC, SCHOOL_TYPE
from .model import Enumeration, LookupKey, Parameter, Property, Reference, Resource, Scalar, SortKey, Structure, Test

PROGRAMME_TYPE = Enumeration(
    "ProgrammeType",
    "What kind of programme it is (programtyp).",
    (
        "Yrkesprogram", "Högskoleförberedande program", "Intruduktionsprogram", "Nationellt yrkespaket",
        "Regionalt yrkespaket", "Fjärde tekniskt år", "Programinriktning", "Utgång",
    ),
    # The official list has misspelt names; sources send both.
    {"Introduktionsprogram": "Intruduktionsprogram", "Fjärde tekniska året": "Fjärde tekniskt år"},
)  # fmt: skip

PROGRAMME_CONTENT_TYPE = Enumeration(
    "ProgrammeContentType",
    "What a part of a programme is to the programme (innehållstyp).",
    (
        "Gymnasiegemensamma", "Programgemensamma", "Inriktning", "Programfördjupning", "Gymnasiearbete",
        "Individuellt val",
    ),
)  # fmt: skip

PROGRAMME_CONTENT = Structure(
    "ProgrammeContent",
    "A part of a programme: courses and subjects of one kind (programinnehåll).",
    (
        Property("type", PROGRAMME_CONTENT_TYPE, "What the part is to the programme (typ).", required=True),
        Property("points", Scalar.INTEGER, "Credits of the part (poäng)."),
        Property("content", Reference("Syllabus"), "The courses and subjects of the part (innehåll).", many=True),
    ),
    entry_key=("type",),
)

PROGRAMME = Resource(
    name="Programme",
    plural="programmes",
    path="/programmes",
    swedish="program",
    doc="A programme, or an orientation or outcome within one.",
    properties=(
        ID,
        META_PROPERTY,
        Property("name", Scalar.STRING, "Its name (namn).", required=True),
        Property("type", PROGRAMME_TYPE, "What kind of programme it is (programtyp).", required=True),
        Property("parentProgramme", Reference("Programme"), "The programme it is a part of (överordnat program)."),
        Property("schoolType", SCHOOL_TYPE, "The form of schooling (skolform).", required=True),
        Property("code", Scalar.STRING, "Its code, Skolverket's own where there is one (studievägskod)."),
        Property("content", PROGRAMME_CONTENT, "The courses and subjects in it (innehåll).", many=True),
    ),
    parameters=(
        Parameter(
            "schoolType", SCHOOL_TYPE, Test.EQUAL, ("schoolType",), "Of one of these forms of schooling.", many=True
        ),
        Parameter("code", Scalar.STRING, Test.EQUAL, ("code",), "With this code."),
        # A plain string in the standard, without format, although it is compared with a reference's id.
        Parameter("parentProgramme", Scalar.STRING, Test.EQUAL, ("parentProgramme",), "Directly below this programme."),
        *META_PARAMETERS,
    ),
    sort_keys=(
        SortKey("NameAsc", "name", descending=False),
        SortKey("CodeAsc", "code", descending=False),
        MODIFIED_DESC,
    ),
    lookup=(LookupKey("ids", "id", Scalar.ID),),
    deleted="programmes",
    display_name=("name",),
)
