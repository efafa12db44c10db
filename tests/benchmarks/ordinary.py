"""Contender (c): an ordinary gateway with Strawberry, httpx and DataLoaders, for these six questions.

Written as a competent user would in a day: types by hand, one client per source, one DataLoader per resource and
request, so that no question has more upstream calls than it must. Codes and dates are passed on as text, which is the
least work. It merges nothing, checks nothing, keeps nothing.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import strawberry
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from strawberry.asgi import GraphQL
from strawberry.dataloader import DataLoader

SECONDS = 120.0
"""The longest that one upstream call may take."""
PAGE_SIZE = 1000
"""Records of a page, and ids of a lookup."""

Json = dict[str, Any]


class Upstream:
    """The sources: which client asks for which resource."""

    def __init__(self, urls: Mapping[str, str], owner: Mapping[str, str]) -> None:
        clients = {name: httpx.AsyncClient(base_url=url, timeout=SECONDS) for name, url in urls.items()}
        self._clients = clients
        self._of = {resource: clients[name] for resource, name in owner.items()}

    async def listed(self, resource: str, first: int | None = None, **filters: str) -> list[Json]:
        """The first records of a list, or all of them."""
        size = PAGE_SIZE if first is None else min(first, PAGE_SIZE)
        found: list[Json] = []
        params: dict[str, Any] = {"limit": size, **filters}
        while True:
            response = await self._of[resource].get(f"/{resource}", params=params)
            response.raise_for_status()
            page = response.json()
            found += page["data"]
            if not page.get("pageToken") or (first is not None and len(found) >= first):
                return found[:first]
            params = {"pageToken": page["pageToken"], "limit": size}

    async def lookup(self, resource: str, ids: list[str]) -> list[Json | None]:
        """The records with these ids, in their order."""
        response = await self._of[resource].post(f"/{resource}/lookup", json={"ids": ids})
        response.raise_for_status()
        by_id = {record["id"]: record for record in response.json()}
        return [by_id.get(id) for id in ids]

    async def aclose(self) -> None:
        for client in self._clients.values():
            await client.aclose()


def _loader(upstream: Upstream, resource: str) -> DataLoader[str, Json | None]:
    async def load(ids: list[str]) -> list[Json | None]:
        return await upstream.lookup(resource, ids)

    return DataLoader(load_fn=load, max_batch_size=PAGE_SIZE)


@dataclass
class Context:
    """What the resolvers of one request share."""

    upstream: Upstream
    persons: DataLoader[str, Json | None]
    duties: DataLoader[str, Json | None]
    activities: DataLoader[str, Json | None]
    syllabuses: DataLoader[str, Json | None]
    rooms: DataLoader[str, Json | None]


Info = strawberry.Info[Context, None]


@strawberry.type
class CivicNo:
    value: str | None


@strawberry.type
class Email:
    value: str | None
    type: str | None


@strawberry.type
class PhoneNumber:
    value: str | None


@strawberry.type
class Enrolment:
    school_year: int | None
    school_type: str | None
    start_date: str | None


@strawberry.type
class Meta:
    modified: str | None


@strawberry.type
class Person:
    id: strawberry.ID
    given_name: str | None
    middle_name: str | None
    family_name: str | None
    birth_date: str | None
    sex: str | None
    security_marking: str | None
    person_status: str | None
    civic_no: CivicNo | None
    emails: list[Email]
    phone_numbers: list[PhoneNumber]
    enrolments: list[Enrolment]
    meta: Meta | None

    @classmethod
    def of(cls, record: Json) -> Person:
        civic_no, meta = record.get("civicNo"), record.get("meta")
        return cls(
            id=record["id"],
            given_name=record.get("givenName"),
            middle_name=record.get("middleName"),
            family_name=record.get("familyName"),
            birth_date=record.get("birthDate"),
            sex=record.get("sex"),
            security_marking=record.get("securityMarking"),
            person_status=record.get("personStatus"),
            civic_no=CivicNo(value=civic_no.get("value")) if civic_no else None,
            emails=[Email(value=each.get("value"), type=each.get("type")) for each in record.get("emails") or ()],
            phone_numbers=[PhoneNumber(value=each.get("value")) for each in record.get("phoneNumbers") or ()],
            enrolments=[
                Enrolment(
                    school_year=each.get("schoolYear"),
                    school_type=each.get("schoolType"),
                    start_date=each.get("startDate"),
                )
                for each in record.get("enrolments") or ()
            ],
            meta=Meta(modified=meta.get("modified")) if meta else None,
        )


async def _person(info: Info, reference: Json | None) -> Person | None:
    record = await info.context.persons.load(reference["id"]) if reference else None
    return Person.of(record) if record else None


@strawberry.type
class Group:
    id: strawberry.ID
    display_name: str | None
    member_ids: strawberry.Private[list[str]]

    @strawberry.field
    async def members(self, info: Info) -> list[Person]:
        records = await info.context.persons.load_many(self.member_ids)
        return [Person.of(record) for record in records if record]

    @classmethod
    def of(cls, record: Json) -> Group:
        memberships = record.get("groupMemberships") or ()
        return cls(
            id=record["id"],
            display_name=record.get("displayName"),
            member_ids=list(dict.fromkeys(each["person"]["id"] for each in memberships)),
        )


@strawberry.type
class Duty:
    duty_role: str | None
    person_reference: strawberry.Private[Json | None]

    @strawberry.field
    async def person(self, info: Info) -> Person | None:
        return await _person(info, self.person_reference)


@strawberry.type
class Teacher:
    duty_id: strawberry.Private[str]

    @strawberry.field
    async def duty(self, info: Info) -> Duty | None:
        record = await info.context.duties.load(self.duty_id)
        return Duty(duty_role=record.get("dutyRole"), person_reference=record.get("person")) if record else None


@strawberry.type
class Syllabus:
    subject_name: str | None


@strawberry.type
class Activity:
    display_name: str | None
    record: strawberry.Private[Json]

    @strawberry.field
    async def syllabus(self, info: Info) -> Syllabus | None:
        reference = self.record.get("syllabus")
        found = await info.context.syllabuses.load(reference["id"]) if reference else None
        return Syllabus(subject_name=found.get("subjectName")) if found else None

    @strawberry.field
    def teachers(self) -> list[Teacher]:
        return [Teacher(duty_id=each["duty"]["id"]) for each in self.record.get("teachers") or ()]


@strawberry.type
class Room:
    display_name: str | None


@strawberry.type
class CalendarEvent:
    start_time: str | None
    end_time: str | None
    cancelled: bool | None
    record: strawberry.Private[Json]

    @strawberry.field
    async def activity(self, info: Info) -> Activity | None:
        found = await info.context.activities.load(self.record["activity"]["id"])
        return Activity(display_name=found.get("displayName"), record=found) if found else None

    @strawberry.field
    async def rooms(self, info: Info) -> list[Room]:
        ids = [each["id"] for each in self.record.get("rooms") or ()]
        found = await info.context.rooms.load_many(ids)
        return [Room(display_name=each.get("displayName")) for each in found if each]

    @classmethod
    def of(cls, record: Json) -> CalendarEvent:
        return cls(
            start_time=record.get("startTime"),
            end_time=record.get("endTime"),
            cancelled=record.get("cancelled"),
            record=record,
        )


@strawberry.type
class Query:
    @strawberry.field
    async def person(self, info: Info, id: strawberry.ID) -> Person | None:
        return await _person(info, {"id": id})

    @strawberry.field
    async def persons(self, info: Info, first: int = 50) -> list[Person]:
        return [Person.of(each) for each in await info.context.upstream.listed("persons", first)]

    @strawberry.field
    async def groups(self, info: Info, organisation: strawberry.ID, group_type: str) -> list[Group]:
        found = await info.context.upstream.listed("groups", organisation=organisation, groupType=group_type)
        return [Group.of(each) for each in found]

    @strawberry.field
    async def calendar_events(
        self,
        info: Info,
        start: str,
        end: str,
        group: strawberry.ID | None = None,
        organisation: strawberry.ID | None = None,
    ) -> list[CalendarEvent]:
        filters: dict[str, Any] = {"startTime.onOrAfter": start, "startTime.onOrBefore": end}
        filters |= {"group": group} if group else {}
        filters |= {"organisation": organisation} if organisation else {}
        return [CalendarEvent.of(each) for each in await info.context.upstream.listed("calendarEvents", **filters)]


class Endpoint(GraphQL[Context, None]):
    """Strawberry's view, with DataLoaders of its own for each request."""

    def __init__(self, upstream: Upstream) -> None:
        super().__init__(strawberry.Schema(Query), graphql_ide=None)
        self._upstream = upstream

    async def get_context(self, request: Request | Any, response: Response | Any) -> Context:
        upstream = self._upstream
        return Context(
            upstream,
            persons=_loader(upstream, "persons"),
            duties=_loader(upstream, "duties"),
            activities=_loader(upstream, "activities"),
            syllabuses=_loader(upstream, "syllabuses"),
            rooms=_loader(upstream, "rooms"),
        )


def create_app(upstream: Upstream) -> Starlette:
    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        await upstream.aclose()

    return Starlette(routes=[Route("/graphql", Endpoint(upstream))], lifespan=lifespan)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--plan", type=Path, required=True)
    given = parser.parse_args()
    plan = json.loads(given.plan.read_bytes())
    uvicorn.run(create_app(Upstream(plan["urls"], plan["owner"])), port=given.port, log_level="error", access_log=False)


if __name__ == "__main__":
    main()
