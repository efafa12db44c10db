"""What makes two records the same person, unit or duty: the spellings that are seen, and those that prove nothing."""

from __future__ import annotations

import pytest

from resolvers.identity.keys import KINDS, IdentityRule, civic_no, keys

ALL = IdentityRule(tuple(KINDS["Person"]))


@pytest.mark.parametrize(
    ("written", "born", "read"),
    [
        ("201302081121", None, "201302081121"),
        ("20130208-1121", None, "201302081121"),
        (" 20130208 1121 ", None, "201302081121"),
        ("130208-1121", "2013-02-08", "201302081121"),
        ("130208+1121", "1913-02-08", "191302081121"),
        ("1302081121", "1913-02-08", "191302081121"),
        ("130208-1121", None, None),  # which century?
        ("130208-1121", "2013-02-09", None),
        ("201302681121", None, "201302681121"),  # a coordination number
        ("130268-1121", "2013-02-08", "201302681121"),
        ("20130208-TF01", None, "20130208TF01"),
        ("20130208tf01", None, "20130208TF01"),
        ("130208-TF01", "2013-02-08", "20130208TF01"),
        ("", "2013-02-08", None),
        ("saknas", "2013-02-08", None),
        ("2013-02-08", "2013-02-08", None),
        ("20130208+1121", None, None),
    ],
)
def test_a_civic_number_has_one_spelling(written: str, born: str | None, read: str | None) -> None:
    assert civic_no(written, born) == read


def test_principal_names_are_the_same_in_any_case() -> None:
    assert keys("Person", ALL, {"eduPersonPrincipalNames": ["Ada@Skola.se", "ada@skola.se "]}, weak=False) == (
        ("eduPersonPrincipalName", "ada@skola.se"),
    )


def test_an_external_identifier_counts_only_if_it_says_that_it_is_unique() -> None:
    entries = [
        {"context": "eduid", "value": "x", "globallyUnique": True},
        {"context": "local", "value": "x", "globallyUnique": False},
        {"context": "", "value": "x", "globallyUnique": True},
        {"context": "eduid", "value": "y"},
    ]
    assert keys("Person", ALL, {"externalIdentifiers": entries}, weak=False) == (("externalIdentifier", "eduid", "x"),)


def test_weak_keys_are_never_read_of_a_protected_person() -> None:
    record = {
        "emails": [{"value": "A@b.se", "type": "Privat"}],
        "givenName": "Ada",
        "familyName": "Ek",
        "birthDate": "2013-02-08",
    }
    open_ = (("email", "a@b.se"), ("name", "ada", "ek", "2013-02-08"))
    assert keys("Person", ALL, record, weak=True) == open_
    assert keys("Person", ALL, record | {"securityMarking": "Ingen"}, weak=True) == open_
    assert keys("Person", ALL, record | {"securityMarking": "Sekretessmarkering"}, weak=True) == ()
    assert keys("Person", ALL, record | {"securityMarking": "something new"}, weak=True) == ()


def test_only_what_is_configured_is_a_key() -> None:
    record = {"schoolUnitCode": " 12345678", "organisationCode": "ab1"}
    assert keys("Organisation", IdentityRule(("schoolUnitCode",)), record, weak=False) == (
        ("schoolUnitCode", "12345678"),
    )
    both = IdentityRule(("schoolUnitCode", "organisationCode"))
    assert keys("Organisation", both, record, weak=False)[1:] == (("organisationCode", "AB1"),)
