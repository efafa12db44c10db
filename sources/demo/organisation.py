"""The organisation tree, from the municipality down to its school units, and what hangs on the units."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from math import ceil

from .names import PLACES
from .world import Record, Unit, World, dated

AUTHORITY = "Björkåsa kommun"
DOMAIN = "bjorkasa.example"
NUMBER = "212000-9999"
MUNICIPALITY = "9999"

ACADEMIC = ("NA", "SA", "EK", "TE")
VOCATIONAL = ("EE", "BF", "VO", "IM")


def add_organisations(world: World) -> None:
    """Huvudman → Förvaltning → Verksamhetsområde → Skola → Skolenhet, plus a closed and a planned unit."""
    root = _add(world, "root", AUTHORITY, "Huvudman", None, organisationNumber=NUMBER, municipalityCode=MUNICIPALITY)
    office = _add(world, "office", "Barn- och utbildningsförvaltningen", "Förvaltning", root, organisationCode="BUF")
    areas = {
        form: _add(world, f"area/{form}", name, "Verksamhetsområde", office, organisationCode=f"VO{form}")
        for form, name in (("FS", "Förskola"), ("GR", "Grundskola"), ("GY", "Gymnasieskola"))
    }
    world.examples |= {"authority": root, "comprehensive_schools": areas["GR"]}

    for i in range(max(1, round(world.pupils * 0.18 / 80))):
        place = _place(i)
        school = _add(world, f"preschool/{i}", f"{place} förskola", "Skola", areas["FS"], organisationCode=f"F{i:03d}")
        _unit(world, f"preschool/{i}/unit", f"{place} förskola", ("FS",), (), school, f"F{i:03d}A")

    for i in range(max(2, round(world.pupils * 0.62 / 350))):
        years = tuple(range(7, 10)) if i % 3 == 1 else tuple(range(7))
        place = _place(i + 3)
        school = _add(world, f"school/{i}", f"{place}skolan", "Skola", areas["GR"], organisationCode=f"G{i:03d}")
        span = f"{'F' if years[0] == 0 else years[0]}–{years[-1]}"
        forms = ("FKLASS", "GR") if years[0] == 0 else ("GR",)
        unit = _unit(world, f"school/{i}/unit", f"{place}skolan {span}", forms, years, school, f"G{i:03d}A")
        if years[0] == 0:
            name = f"{place}skolans fritidshem"
            unit.leisure = _unit(world, f"school/{i}/leisure", name, ("FTH",), (), school, f"G{i:03d}F")

    per_unit = 2 if world.pupils < 1000 else 4
    for i in range(max(2, round(world.pupils * 0.2 / 700))):
        if i % 2 == 0:
            place = _place(i + 9)
            school = _add(world, f"upper/{i}", f"{place}gymnasiet", "Skola", areas["GY"], organisationCode=f"Y{i:03d}")
        codes = (ACADEMIC, VOCATIONAL)[i % 2][:per_unit]
        unit = _unit(
            world, f"upper/{i}/unit", f"{place}gymnasiet {i % 2 + 1}", ("GY",), (1, 2, 3), school, f"Y{i:03d}A"
        )
        unit.programmes = codes

    last_year = world.year_start - timedelta(days=1)
    for key, name, start, end in (
        ("closed", "Gamla Kvarnskolan", world.year_start.replace(year=1998), last_year),
        ("planned", "Nya Älvskolan", world.year_end + timedelta(days=1), None),
    ):
        world.examples[f"{key}_unit"] = _add(
            world, key, name, "Skolenhet", areas["GR"], schoolUnitCode=_code(key, world), schoolTypes=["GR"],
            **dated(start, end),
        )  # fmt: skip


def add_offerings(world: World) -> None:
    """What each unit offers. The standard gives these rows neither id nor meta."""
    for unit in world.units:
        keys = [k for k in world.syllabuses if k.split("/")[0] == unit.form]
        if keys:
            world.records["SchoolUnitOffering"].append(
                {
                    **dated(world.year_start, world.year_end),
                    "offeredAt": world.ref(unit.id),
                    "offeredSyllabuses": world.refs([world.syllabuses[k] for k in keys]),
                    **(
                        {"offeredProgrammes": world.refs([world.programmes[p] for p in unit.programmes])}
                        if unit.programmes
                        else {}
                    ),
                }
            )
    first = next(u for u in world.units if u.form == "GR")
    world.records["SchoolUnitOffering"].append(
        {
            **dated(world.year_end + timedelta(days=1), None),
            "offeredAt": world.ref(first.id),
            "offeredSyllabuses": world.refs([world.syllabuses["GR/MA/1"]]),
        }
    )


def add_facilities(world: World) -> None:
    """Rooms (about one per class, and a gym) and resources of every unit with lessons."""
    for unit in world.units:
        if not unit.years:
            continue
        named = [f"Sal {chr(65 + i % 4)}{i // 4 + 1:02d}" for i in range(ceil(len(unit.pupils) / 25) + 2)]
        for i, name in enumerate((*named, "Idrottshallen")):
            id = world.id("room", unit.id, i)
            room: Record = {
                "id": id, "meta": world.meta("room", id), "displayName": name, "owner": world.ref(unit.id),
            }  # fmt: skip
            if world.number("seats", id) % 9:
                room["seats"] = 24 + world.number("seats", id) % 10
            world.records["Room"].append(room)
            unit.rooms.append(world.ref(id))
        for i, (name, text) in enumerate((("Laptopvagn", "30 datorer"), ("Mikroskop", "12 stycken"), ("Minibuss", ""))):
            id = world.id("resource", unit.id, i)
            resource: Record = {
                "id": id, "meta": world.meta("resource", id), "displayName": name, "owner": world.ref(unit.id),
            }  # fmt: skip
            if text:
                resource["description"] = text
            world.records["Resource"].append(resource)
            unit.resources.append(world.ref(id))


def _unit(
    world: World, key: str, name: str, forms: Sequence[str], years: tuple[int, ...], school: str, code: str
) -> Unit:
    street = f"Skolvägen {world.number('street', key) % 80 + 1}"
    slug = code.lower()
    id = _add(
        world, key, name, "Skolenhet", school,
        organisationCode=code,
        organisationNumber=NUMBER,
        schoolUnitCode=_code(key, world),
        schoolTypes=list(forms),
        municipalityCode=MUNICIPALITY,
        address={
            "type": "Besöksadress", "streetAddress": street, "locality": "Björkåsa", "postalCode": "999 01",
            "countyCode": 99, "municipalityCode": 99, "country": "Sverige",
        },
        url=f"https://{slug}.{DOMAIN}",
        email=f"{slug}@{DOMAIN}",
        phoneNumber=f"0999-10 {world.number('phone', key) % 90 + 10}",
        contactInfo=[{"infoType": "Publik", "info": "Expeditionen är öppen 7.30–16.00."}],
        **dated(world.year_start.replace(year=2009), None),
    )  # fmt: skip
    unit = Unit(id=id, name=name, form=forms[-1], years=years, school=school)
    world.units.append(unit)
    return unit


def _add(world: World, key: str, name: str, kind: str, parent: str | None, **more: object) -> str:
    id = world.id("organisation", key)
    record: Record = {"id": id, "meta": world.meta("organisation", key), "displayName": name, "organisationType": kind}
    if parent is not None:
        record["parentOrganisation"] = world.ref(parent)
    world.records["Organisation"].append(record | more)
    return id


def _code(key: str, world: World) -> str:
    """A school unit code outside the series in use: eight digits that begin with 99."""
    return f"99{world.number('school unit code', key) % 1_000_000:06d}"


def _place(i: int) -> str:
    return PLACES[i % len(PLACES)] + ("" if i < len(PLACES) else f" {i // len(PLACES) + 1}")
