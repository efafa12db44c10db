"""Person: pupils, guardians and staff, with their enrolments and the persons responsible for them."""

from __future__ import annotations

from .common import (
    END_DATE,
    ID,
    META_PARAMETERS,
    META_PROPERTY,
    MODIFIED_DESC,
    SCHOOL_TYPE,
    SECURITY_MARKING,
    START_DATE,
    sort_both,
)
from .model import (
    Enumeration,
    Expand,
    LookupKey,
    Parameter,
    Property,
    Reference,
    Resource,
    Scalar,
    SortKey,
    Structure,
    Test,
    View,
)

EXTERNAL_IDENTIFIER = Structure(
    "ExternalIdentifier",
    "An identifier of a person in another system (extern identifierare).",
    (
        Property("value", Scalar.STRING, "The identifier itself (värde).", required=True),
        Property("context", Scalar.STRING, "The system or namespace it belongs to (kontext).", required=True),
        Property("globallyUnique", Scalar.BOOLEAN, "Whether it is unique outside its context.", required=True),
    ),
    entry_key=("context", "value"),
)

CIVIC_NO = Structure(
    "CivicNo",
    "A personal identity number (personnummer, samordningsnummer or a temporary number).",
    (
        Property("value", Scalar.STRING, "The number, 12 characters without separator.", required=True),
        Property("nationality", Scalar.STRING, "Country that issued it, ISO 3166-1 alpha-2 (nationalitet)."),
    ),
)

EMAIL = Structure(
    "Email",
    "An e-mail address of a person (e-postadress).",
    (
        Property("value", Scalar.EMAIL, "The address.", required=True),
        Property(
            "type",
            Enumeration(
                "EmailType",
                "What a person's e-mail address is for (e-posttyp).",
                ("Privat", "Skola elev", "Skola personal", "Arbete övrigt"),
            ),
            "What it is for (typ).",
            required=True,
        ),
    ),
    entry_key=("value",),
)

PHONE_NUMBER = Structure(
    "PhoneNumber",
    "A telephone number of a person (telefonnummer).",
    (
        Property("value", Scalar.STRING, "The number.", required=True),
        Property(
            "type",
            Enumeration("PhoneNumberType", "Where a telephone number is answered (telefontyp).", ("Hem", "Arbete")),
            "Where it is answered (typ).",
            required=True,
        ),
        Property("mobile", Scalar.BOOLEAN, "Whether it is a mobile number (mobil).", required=True),
    ),
    entry_key=("value",),
)

PERSON_ADDRESS = Structure(
    "PersonAddress",
    "A postal address of a person (adress).",
    (
        Property(
            "type",
            Enumeration(
                "PersonAddressType",
                "What a person's address is (adresstyp).",
                ("Folkbokföring", "Särskild postadress", "Tillfällig adress", "Postadress"),
                {"Särskildpostadress": "Särskild postadress", "Tillfälligadress": "Tillfällig adress"},
            ),
            "What the address is (adresstyp).",
        ),
        Property("streetAddress", Scalar.STRING, "Street and number (gatuadress).", required=True),
        Property("locality", Scalar.STRING, "Town (postort).", required=True),
        Property("postalCode", Scalar.STRING, "Postal code (postnummer).", required=True),
        Property("countyCode", Scalar.INTEGER, "County code, per SCB (länskod)."),
        Property("municipalityCode", Scalar.INTEGER, "Municipality code within the county, per SCB (kommunkod)."),
        Property("realEstateDesignation", Scalar.STRING, "Real-estate designation (fastighetsbeteckning)."),
        Property("country", Scalar.STRING, "Country (land).", required=True),
    ),
)

ENROLMENT = Structure(
    "Enrolment",
    "A pupil's or child's enrolment at a school unit (inskrivning).",
    (
        Property(
            "enroledAt", Reference("Organisation"), "The school unit of the enrolment (inskriven vid).", required=True
        ),
        Property("schoolYear", Scalar.INTEGER, "School year, 0-10 (årskurs)."),
        Property("schoolType", SCHOOL_TYPE, "The form of schooling (skolform).", required=True),
        START_DATE,
        END_DATE,
        Property("cancelled", Scalar.BOOLEAN, "Whether the enrolment was broken off before its time (avbruten)."),
        Property("educationCode", Scalar.STRING, "Code of the education, e.g. NA (studievägskod)."),
        Property("programme", Reference("Programme"), "The programme of the enrolment (program)."),
        Property("specification", Scalar.STRING, "More about the enrolment, as text (specifikation)."),
    ),
    entry_key=("enroledAt.id", "schoolType", "startDate", "educationCode", "programme.id"),
)

RELATION_TYPE = Enumeration(
    "RelationType",
    "What someone is to the person he or she is responsible for (relationstyp).",
    ("Vårdnadshavare", "Annan ansvarig", "God man", "Utsedd behörig"),
)

RESPONSIBLE = Structure(
    "Responsible",
    "Someone responsible for a person (ansvarig).",
    (
        Property("person", Reference("Person"), "The one who is responsible (ansvarig person)."),
        Property("relationType", RELATION_TYPE, "What he or she is to the person (relationstyp)."),
    ),
    entry_key=("person.id",),
)

RELATIONSHIP_TYPE = Enumeration(
    "RelationshipEntityType",
    "A kind of relation that persons can be selected by.",
    (
        "enrolment", "duty", "placement.child", "placement.owner", "responsibleFor.enrolment",
        "responsibleFor.placement", "groupMembership",
    ),
)  # fmt: skip


PERSON = Resource(
    name="Person",
    plural="persons",
    path="/persons",
    swedish="person",
    doc="A pupil, a child, a guardian or a member of staff.",
    properties=(
        ID,
        META_PROPERTY,
        Property("givenName", Scalar.STRING, "Given name (tilltalsnamn/förnamn).", required=True),
        Property("middleName", Scalar.STRING, "Middle name (mellannamn)."),
        Property("familyName", Scalar.STRING, "Family name (efternamn).", required=True),
        Property(
            "eduPersonPrincipalNames",
            Scalar.STRING,
            "Sign-in identities, user@scope (eduPersonPrincipalName, EPPN).",
            many=True,
        ),
        Property(
            "externalIdentifiers",
            EXTERNAL_IDENTIFIER,
            "Identifiers in other systems (externa identifierare).",
            many=True,
        ),
        Property("civicNo", CIVIC_NO, "Personal identity number (personnummer)."),
        Property("birthDate", Scalar.DATE, "Date of birth (födelsedatum)."),
        Property(
            "sex",
            Enumeration("Sex", "Registered sex (kön).", ("Man", "Kvinna", "Okänt")),
            "Registered sex (kön).",
        ),
        Property("securityMarking", SECURITY_MARKING, "How the person's data is protected (sekretessmarkering)."),
        Property(
            "personStatus",
            Enumeration(
                "PersonStatus",
                "Whether the person lives in the country (personstatus).",
                ("Aktiv", "Utvandrad", "Avliden"),
            ),
            "Active, emigrated or deceased (personstatus).",
        ),
        Property("emails", EMAIL, "E-mail addresses (e-postadresser).", many=True),
        Property("phoneNumbers", PHONE_NUMBER, "Telephone numbers (telefonnummer).", many=True),
        Property("addresses", PERSON_ADDRESS, "Postal addresses (adresser).", many=True),
        Property("photo", Scalar.URI, "Where a photo of the person is (foto)."),
        Property("enrolments", ENROLMENT, "Enrolments, also ended and coming ones (inskrivningar).", many=True),
        Property("responsibles", RESPONSIBLE, "Those responsible for the person (ansvariga).", many=True),
    ),
    parameters=(
        Parameter(
            "nameContains",
            Scalar.STRING,
            Test.CONTAINS_ALL,
            ("givenName", "middleName", "familyName"),
            "Every term is part of the given, middle or family name, whatever the case.",
            many=True,
        ),
        Parameter("civicNo", Scalar.STRING, Test.EQUAL, ("civicNo.value",), "With exactly this civicNo."),
        Parameter(
            "eduPersonPrincipalName",
            Scalar.STRING,
            Test.ANY,
            ("eduPersonPrincipalNames",),
            "With exactly this eduPersonPrincipalName.",
        ),
        Parameter(
            "identifier.value",
            Scalar.STRING,
            Test.IDENTIFIER,
            ("externalIdentifiers.value",),
            "With an external identifier of exactly this value.",
        ),
        Parameter(
            "identifier.context",
            Scalar.STRING,
            Test.IDENTIFIER,
            ("externalIdentifiers.context",),
            "The context of that external identifier.",
        ),
        Parameter(
            "relationship.entity.type",
            RELATIONSHIP_TYPE,
            Test.RELATION,
            (),
            "With a relation of this kind; the other relationship parameters then concern this relation.",
        ),
        Parameter(
            "relationship.organisation",
            Scalar.ID,
            Test.RELATION,
            (),
            "With a relation to this organisation (enroledAt, dutyAt or placedAt).",
        ),
        *(
            Parameter(
                f"relationship.{date}Date.onOr{when}",
                Scalar.DATE,
                Test.RELATION,
                (),
                f"With a relation that {date}s on this day or {word} (inclusive); relations without that date count.",
            )
            for date in ("start", "end")
            for when, word in (("Before", "earlier"), ("After", "later"))
        ),
        *META_PARAMETERS,
    ),
    expands=(
        Expand("duties", "Duty", "The person's duties."),
        Expand("responsibleFor", "Person", "Those the person is responsible for.", View.REFERENCE, "person"),
        Expand("placements", "Placement", "Placements where the person is the child."),
        Expand("ownedPlacements", "Placement", "Placements that the person owns."),
        Expand("groupMemberships", "Group", "Groups the person is or was a member of.", View.FRAGMENT, "group"),
    ),
    sort_keys=(
        SortKey("DisplayNameAsc", "displayName", descending=False),
        *reversed(sort_both("GivenName", "givenName")),
        *reversed(sort_both("FamilyName", "familyName")),
        *sort_both("CivicNo", "civicNo.value"),
        MODIFIED_DESC,
    ),
    lookup=(LookupKey("ids", "id", Scalar.ID), LookupKey("civicNos", "civicNo.value", Scalar.STRING)),
    deleted="persons",
    display_name=("givenName", "familyName"),
)
