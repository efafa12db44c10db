"""Every reference of SS 12000 in both directions, as data. Each relation has one owner: the property that refers.

Forwards, a relation is the property itself (``duty.person``). Backwards it is named here (``person.duties``). Access
paths are derived from the standard: a lookup key or a query parameter whose column is the reference.
"""

from __future__ import annotations

from dataclasses import dataclass

from sources.standard import RESOURCES
from sources.standard.model import Expand, LookupKey, Parameter, Property, Reference, Resource, Structure, Test

from .dated import Dated, dated


@dataclass(frozen=True)
class Relation:
    """One reference. ``owner`` is the resource that holds it, ``path`` leads to it from the record's top.

    ``inverse`` names the field on the target. With ``back`` the inverse gives the entries that hold the reference, and
    ``back`` is the field of an entry that leads to its record (``person.groupMemberships { group startDate }``);
    without it, the inverse gives the owning records. ``window``: the inverse must be asked for a period.
    """

    owner: str
    path: tuple[str, ...]
    inverse: str
    doc: str
    back: str | None = None
    window: bool = False
    entry_name: str | None = None
    """The GraphQL name of the inverse's entries where it is not the structure's own."""
    filter: tuple[str, ...] = ()
    """The query parameter that finds owners, where its columns do not say so, and ``name=value`` to go with it."""

    @property
    def name(self) -> str:
        return f"{self.owner}.{'.'.join(self.path)}"

    @property
    def resource(self) -> Resource:
        return RESOURCES[self.owner]

    @property
    def column(self) -> str:
        """The owning top-level property."""
        return self.path[0]

    @property
    def properties(self) -> tuple[Property, ...]:
        """The properties along the path, the reference last."""
        found: list[Property] = []
        here: tuple[Property, ...] = self.resource.properties
        for name in self.path:
            prop = next(p for p in here if p.name == name)
            found.append(prop)
            here = prop.type.properties if isinstance(prop.type, Structure) else ()
        return tuple(found)

    @property
    def target(self) -> str:
        kind = self.properties[-1].type
        assert isinstance(kind, Reference)
        return kind.target

    @property
    def entry(self) -> Structure | None:
        """The structure that holds the reference, where it stands inside one."""
        kind = self.properties[-2].type if len(self.path) > 1 else None
        return kind if isinstance(kind, Structure) else None

    @property
    def many(self) -> bool:
        return any(prop.many for prop in self.properties)

    @property
    def lookup(self) -> LookupKey | None:
        """The lookup key by which owners are found."""
        return next((key for key in self.resource.lookup if key.column == ".".join(self.path)), None)

    @property
    def parameter(self) -> Parameter | None:
        """The query parameter by which owners are found, or a little more than they (an organisation's subtree)."""
        if self.filter:
            return self.resource.parameter[self.filter[0]]
        tests = (Test.EQUAL, Test.ANY, Test.SUBTREE)
        return next(
            (p for p in self.resource.parameters if p.columns == (".".join(self.path),) and p.test in tests), None
        )

    @property
    def expand(self) -> Expand | None:
        """The expand of the target's lookup that embeds the owners."""
        target = RESOURCES[self.target]
        if not target.lookup_expands:
            return None
        return next((e for e in target.expands if e.name == self.inverse and e.resource == self.owner), None)

    @property
    def dated(self) -> Dated | None:
        """How what the inverse gives is placed in time: by the entry's own dates, else by the record's."""
        if self.back is not None and self.entry is not None:
            own = dated(self.entry)
            if own is not None and own.days:
                return own
        return dated(self.resource)

    @property
    def dated_by_entry(self) -> bool:
        """Whether those dates stand in the entry."""
        own = dated(self.entry) if self.back is not None and self.entry is not None else None
        return own is not None and own.days


RELATIONS: tuple[Relation, ...] = (
    # Organisation
    Relation("Organisation", ("parentOrganisation",), "children", "The organisations directly below it."),
    # Person
    Relation(
        "Person",
        ("enrolments", "enroledAt"),
        "enrolments",
        "Enrolments at this school unit.",
        back="person",
        filter=("relationship.organisation", "relationship.entity.type=enrolment"),
    ),
    Relation("Person", ("enrolments", "programme"), "enrolments", "Enrolments in this programme.", back="person"),
    Relation(
        "Person",
        ("responsibles", "person"),
        "responsibleFor",
        "Those the person is responsible for.",
        back="person",
        entry_name="ResponsibleFor",
    ),
    # Placement
    Relation("Placement", ("placedAt",), "placements", "Placements at this school unit."),
    Relation("Placement", ("group",), "placements", "Placements in this group."),
    Relation("Placement", ("child",), "placements", "The child's placements."),
    Relation("Placement", ("owners",), "ownedPlacements", "Placements that the person owns."),
    # Duty
    Relation("Duty", ("person",), "duties", "The person's duties."),
    Relation("Duty", ("dutyAt",), "duties", "Duties at this very organisation."),
    Relation(
        "Duty", ("assignmentRole", "group"), "assignmentRoles", "Duties with an assignment in the group.", back="duty"
    ),
    # Group
    Relation("Group", ("organisation",), "groups", "Groups that belong directly to this organisation."),
    Relation(
        "Group", ("groupMemberships", "person"), "groupMemberships", "The person's memberships of groups.", back="group"
    ),
    # Programme
    Relation("Programme", ("parentProgramme",), "children", "The programmes below it: orientations and profiles."),
    Relation("Programme", ("content", "content"), "programmes", "Programmes that the syllabus is part of."),
    # SchoolUnitOffering
    Relation("SchoolUnitOffering", ("offeredAt",), "offerings", "What the school unit offers."),
    Relation("SchoolUnitOffering", ("offeredSyllabuses",), "offerings", "Where and when the syllabus is offered."),
    Relation("SchoolUnitOffering", ("offeredProgrammes",), "offerings", "Where and when the programme is offered."),
    # StudyPlan
    Relation("StudyPlan", ("student",), "studyPlans", "The student's study plans."),
    Relation(
        "StudyPlan",
        ("content", "syllabuses", "syllabus"),
        "studyPlanSyllabuses",
        "Where the syllabus stands in study plans.",
        back="studyPlan",
    ),
    # Activity
    Relation("Activity", ("groups",), "activities", "Activities that the group takes part in."),
    Relation("Activity", ("teachers", "duty"), "activities", "Activities that the duty teaches."),
    Relation("Activity", ("syllabus",), "activities", "Activities in the syllabus."),
    Relation("Activity", ("organisation",), "activities", "Activities owned by this very organisation."),
    Relation("Activity", ("parentActivity",), "children", "The activities below it."),
    # CalendarEvent
    Relation("CalendarEvent", ("activity",), "calendarEvents", "The activity's events in a period.", window=True),
    Relation(
        "CalendarEvent",
        ("studentExceptions", "student"),
        "studentExceptions",
        "Where the student deviates from the group's schedule in a period.",
        back="calendarEvent",
        window=True,
    ),
    Relation(
        "CalendarEvent",
        ("teacherExceptions", "duty"),
        "teacherExceptions",
        "Where the duty deviates from the activity's teachers in a period.",
        back="calendarEvent",
        window=True,
    ),
    Relation("CalendarEvent", ("rooms",), "calendarEvents", "Events in the room in a period.", window=True),
    Relation("CalendarEvent", ("resources",), "calendarEvents", "Events that use it in a period.", window=True),
    # Attendance
    Relation("Attendance", ("calendarEvent",), "attendances", "Attendance at the event, a record per student."),
    Relation("Attendance", ("student",), "attendances", "The student's attendance at events in a period.", window=True),
    Relation(
        "Attendance",
        ("reporter",),
        "reportedAttendances",
        "Attendance that the person reported, at events in a period.",
        window=True,
    ),
    # AttendanceEvent
    Relation("AttendanceEvent", ("person",), "attendanceEvents", "Arrivals and departures in a period.", window=True),
    Relation(
        "AttendanceEvent",
        ("registeredBy",),
        "registeredAttendanceEvents",
        "Arrivals and departures in a period that the person registered.",
        window=True,
    ),
    Relation("AttendanceEvent", ("group",), "attendanceEvents", "Arrivals and departures in the group."),
    # AttendanceSchedule
    Relation("AttendanceSchedule", ("placement",), "attendanceSchedules", "Schedules of the placement."),
    Relation(
        "AttendanceSchedule",
        ("state", "registeredBy"),
        "registeredScheduleStates",
        "States of schedules that the person registered.",
        back="attendanceSchedule",
    ),
    # Absence
    Relation("Absence", ("student",), "absences", "The student's absences in a period.", window=True),
    Relation("Absence", ("organisation",), "absences", "Absences at this very school unit."),
    Relation(
        "Absence",
        ("registeredBy",),
        "registeredAbsences",
        "Absences in a period that the person registered.",
        window=True,
    ),
    # AggregatedAttendance
    Relation(
        "AggregatedAttendance",
        ("activity",),
        "aggregatedAttendances",
        "Attendance in the activity summed over a period.",
        window=True,
    ),
    Relation(
        "AggregatedAttendance",
        ("student",),
        "aggregatedAttendances",
        "The student's attendance summed over a period.",
        window=True,
    ),
    # Grade
    Relation("Grade", ("student",), "grades", "The student's grades."),
    Relation("Grade", ("organisation",), "grades", "Grades set at this very school unit."),
    Relation("Grade", ("registeredBy",), "registeredGrades", "Grades that the person registered."),
    Relation("Grade", ("gradingTeacher",), "gradedGrades", "Grades that the person decided as grading teacher."),
    Relation("Grade", ("group",), "grades", "Grades set in the group."),
    Relation("Grade", ("syllabus",), "grades", "Grades in the syllabus."),
    # Resource, Room
    Relation("Resource", ("owner",), "resources", "Resources that the organisation owns."),
    Relation("Room", ("owner",), "rooms", "Rooms that the organisation owns."),
)
"""The standard's references, in the order of its resources."""

INVERSES: dict[tuple[str, str], Relation] = {(relation.target, relation.inverse): relation for relation in RELATIONS}
"""The relations by target resource and inverse field."""
