"""The references of SS 12000 2.1.0, written out by hand from the official file, with the inverse field of each.

A line reads: owner and path of the reference -> the resource it leads to and the field there that leads back. In braces
stands the field of an entry that leads to its record, where the inverse gives entries; ``during`` marks inverses that
must be asked for a period.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

LINES = """
Organisation.parentOrganisation -> Organisation.children
Person.enrolments.enroledAt -> Organisation.enrolments {person}
Person.enrolments.programme -> Programme.enrolments {person}
Person.responsibles.person -> Person.responsibleFor {person}
Placement.placedAt -> Organisation.placements
Placement.group -> Group.placements
Placement.child -> Person.placements
Placement.owners -> Person.ownedPlacements
Duty.person -> Person.duties
Duty.dutyAt -> Organisation.duties
Duty.assignmentRole.group -> Group.assignmentRoles {duty}
Group.organisation -> Organisation.groups
Group.groupMemberships.person -> Person.groupMemberships {group}
Programme.parentProgramme -> Programme.children
Programme.content.content -> Syllabus.programmes
StudyPlan.student -> Person.studyPlans
StudyPlan.content.syllabuses.syllabus -> Syllabus.studyPlanSyllabuses {studyPlan}
SchoolUnitOffering.offeredAt -> Organisation.offerings
SchoolUnitOffering.offeredSyllabuses -> Syllabus.offerings
SchoolUnitOffering.offeredProgrammes -> Programme.offerings
Activity.groups -> Group.activities
Activity.teachers.duty -> Duty.activities
Activity.syllabus -> Syllabus.activities
Activity.organisation -> Organisation.activities
Activity.parentActivity -> Activity.children
CalendarEvent.activity -> Activity.calendarEvents during
CalendarEvent.studentExceptions.student -> Person.studentExceptions {calendarEvent} during
CalendarEvent.teacherExceptions.duty -> Duty.teacherExceptions {calendarEvent} during
CalendarEvent.rooms -> Room.calendarEvents during
CalendarEvent.resources -> Resource.calendarEvents during
Attendance.calendarEvent -> CalendarEvent.attendances
Attendance.student -> Person.attendances during
Attendance.reporter -> Person.reportedAttendances during
AttendanceEvent.person -> Person.attendanceEvents during
AttendanceEvent.registeredBy -> Person.registeredAttendanceEvents during
AttendanceEvent.group -> Group.attendanceEvents
AttendanceSchedule.placement -> Placement.attendanceSchedules
AttendanceSchedule.state.registeredBy -> Person.registeredScheduleStates {attendanceSchedule}
Grade.student -> Person.grades
Grade.organisation -> Organisation.grades
Grade.registeredBy -> Person.registeredGrades
Grade.gradingTeacher -> Person.gradedGrades
Grade.group -> Group.grades
Grade.syllabus -> Syllabus.grades
Absence.student -> Person.absences during
Absence.organisation -> Organisation.absences
Absence.registeredBy -> Person.registeredAbsences during
AggregatedAttendance.activity -> Activity.aggregatedAttendances during
AggregatedAttendance.student -> Person.aggregatedAttendances during
Resource.owner -> Organisation.resources
Room.owner -> Organisation.rooms
"""

_LINE = re.compile(r"(\w+)\.([\w.]+) -> (\w+)\.(\w+)(?: \{(\w+)\})?( during)?")


@dataclass(frozen=True)
class OfficialRelation:
    """A reference: ``owner`` and ``path`` hold it, it leads to ``target``, and ``inverse`` leads back from there."""

    owner: str
    path: tuple[str, ...]
    target: str
    inverse: str
    back: str | None
    window: bool

    def __str__(self) -> str:
        return f"{self.owner}.{'.'.join(self.path)}"


def _read(line: str) -> OfficialRelation:
    found = _LINE.fullmatch(line)
    assert found is not None, line
    owner, path, target, inverse, back, window = found.groups()
    return OfficialRelation(owner, tuple(path.split(".")), target, inverse, back, window is not None)


OFFICIAL = tuple(_read(line) for line in LINES.strip().splitlines())
"""All of them, in the order of the standard's resources."""

BACKWARDS = {(relation.target, relation.inverse): relation for relation in OFFICIAL}
"""By the field that leads back: (type, field name)."""
