"""Organisation (organisationselement): the tree from the school authority down to its school units."""

from __future__ import annotations

from .common import (
    DISPLAY_NAME,
    DISPLAY_NAME_ASC,
    END_DATE,
    END_DATE_PARAMETERS,
    ID,
    META_PARAMETERS,
    META_PROPERTY,
    MODIFIED_DESC,
    SCHOOL_TYPE,
    START_DATE_OPEN_PARAMETERS,
    START_DATE_OPTIONAL,
)
from .model import Enumeration, LookupKey, Parameter, Property, Reference, Resource, Scalar, Structure, Test

ORGANISATION_TYPE = Enumeration(
    "OrganisationType",
    "What kind of organisation it is (organisationstyp).",
    (
        "Huvudman", "Verksamhetsområde", "Förvaltning", "Rektorsområde", "Skola", "Skolenhet", "Varumärke", "Bolag",
        "Övrigt",
    ),
)  # fmt: skip

ORGANISATION_ADDRESS = Structure(
    "OrganisationAddress",
    "An address of an organisation (adress).",
    (
        Property(
            "type",
            Enumeration(
                "OrganisationAddressType",
                "What an organisation's address is for (adresstyp).",
                ("Besöksadress", "Leveransadress", "Postadress", "Fakturaadress"),
            ),
            "What the address is for (adresstyp).",
        ),
        Property("streetAddress", Scalar.STRING, "Street and number (gatuadress).", required=True),
        Property("locality", Scalar.STRING, "Town (postort).", required=True),
        Property("postalCode", Scalar.STRING, "Postal code (postnummer).", required=True),
        Property("countyCode", Scalar.INTEGER, "County code, per SCB (länskod)."),
        Property("municipalityCode", Scalar.INTEGER, "Municipality code within the county, per SCB (kommunkod)."),
        Property("realEstateDesignation", Scalar.STRING, "Real-estate designation (fastighetsbeteckning)."),
        Property("country", Scalar.STRING, "Country (land)."),
    ),
)

CONTACT_INFO = Structure(
    "ContactInfo",
    "How an organisation is reached (kontaktinformation).",
    (
        Property(
            "infoType",
            Enumeration(
                "ContactInfoType", "Who contact information is meant for (informationstyp).", ("Support", "Publik")
            ),
            "Who the information is meant for (informationstyp).",
        ),
        Property("info", Scalar.STRING, "The contact information itself, as text."),
    ),
)

ORGANISATION = Resource(
    name="Organisation",
    plural="organisations",
    path="/organisations",
    swedish="organisationselement",
    doc="A part of the school authority: the authority itself, an administration, a school, a school unit.",
    properties=(
        ID,
        META_PROPERTY,
        DISPLAY_NAME,
        Property("organisationCode", Scalar.STRING, "The authority's own code for it (organisationskod)."),
        Property(
            "organisationType", ORGANISATION_TYPE, "What kind of organisation it is (organisationstyp).", required=True
        ),
        Property("organisationNumber", Scalar.STRING, "Corporate registration number (organisationsnummer)."),
        Property(
            "parentOrganisation", Reference("Organisation"), "The organisation above it; none at the top (förälder)."
        ),
        Property("schoolUnitCode", Scalar.STRING, "Skolverket's school unit code, 8 digits (skolenhetskod)."),
        Property("schoolTypes", SCHOOL_TYPE, "The forms of schooling of a school unit (skolformer).", many=True),
        Property("address", ORGANISATION_ADDRESS, "Its address (adress)."),
        Property("municipalityCode", Scalar.STRING, "Municipality code, 4 digits, per SCB (kommunkod)."),
        Property("url", Scalar.URI, "Its web page (webbplats)."),
        Property("email", Scalar.EMAIL, "Its e-mail address (e-post)."),
        Property("phoneNumber", Scalar.STRING, "Its telephone number (telefonnummer)."),
        Property("contactInfo", CONTACT_INFO, "Ways to reach it (kontaktinformation).", many=True),
        START_DATE_OPTIONAL,
        END_DATE,
    ),
    parameters=(
        Parameter(
            "parent",
            Scalar.ID,
            Test.EQUAL,
            ("parentOrganisation",),
            "Directly below one of these organisations.",
            many=True,
        ),
        Parameter(
            "schoolUnitCode",
            Scalar.STRING,
            Test.EQUAL,
            ("schoolUnitCode",),
            "With one of these school unit codes.",
            many=True,
        ),
        Parameter(
            "organisationCode",
            Scalar.STRING,
            Test.EQUAL,
            ("organisationCode",),
            "With one of these organisation codes.",
            many=True,
        ),
        Parameter("municipalityCode", Scalar.STRING, Test.EQUAL, ("municipalityCode",), "With this municipality code."),
        Parameter("type", ORGANISATION_TYPE, Test.EQUAL, ("organisationType",), "Of one of these kinds.", many=True),
        Parameter(
            "schoolTypes", SCHOOL_TYPE, Test.ANY, ("schoolTypes",), "With one of these forms of schooling.", many=True
        ),
        *START_DATE_OPEN_PARAMETERS,
        *END_DATE_PARAMETERS,
        *META_PARAMETERS,
    ),
    sort_keys=(MODIFIED_DESC, DISPLAY_NAME_ASC),
    lookup=(
        LookupKey("ids", "id", Scalar.ID),
        LookupKey("schoolUnitCodes", "schoolUnitCode", Scalar.STRING),
        LookupKey("organisationCodes", "organisationCode", Scalar.STRING),
    ),
    deleted="organisations",
)
