"""Queries worth pasting. The page opens with the first; the demo prints them; tests run them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from string import Template
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Example:
    """A query with a title, its dates filled in."""

    title: str
    query: str


_CLASS = Template("""\
# A class this week: its pupils with their guardians' phone numbers, lessons with room and teacher, attendance, grades.
query AClassThisWeek {
  groups(filter: {groupType: [KLASS], schoolTypes: [GY]}, orderBy: [DISPLAY_NAME_ASC], first: 1) {
    nodes {
      displayName
      organisation { displayName }
      groupMemberships(on: "$today") {
        person {
          displayName
          responsibles {
            relationTypeText
            person { displayName phoneNumbers { value } }
          }
          attendances(during: {from: "$week_ago", to: "$today"}) {
            calendarEvent { startTime }
            attendanceMinutes
            invalidAbsenceMinutes
          }
          grades(orderBy: [REGISTERED_DATE_DESC], first: 3) {
            gradeValue
            registeredDate
            syllabus { subjectName }
          }
        }
      }
      calendarEvents(during: {from: "$monday", to: "$sunday"}, orderBy: [START_TIME_ASC]) {
        startTime
        endTime
        cancelled
        activity { displayName teachers { person { displayName } } }
        rooms { displayName }
      }
    }
    complete
    gaps { source code }
  }
}
""")

_STAFF = """\
# Staff with their duties, and which source each fact comes from.
query StaffAndProvenance {
  duties(first: 5) {
    nodes {
      dutyRoleText
      dutyPercent
      dutyAt { displayName }
      person {
        displayName
        emails { value typeText }
        provenance { sources { name fetchedAt fromCache } fields { name source } }
      }
    }
    pageInfo { hasNextPage endCursor }
  }
}
"""

_PRESCHOOL = Template("""\
# Preschool departments: the children today, with their schedules and who collects them.
query PreschoolToday {
  groups(filter: {groupType: [AVDELNING]}, first: 3) {
    nodes {
      displayName
      groupMemberships(on: "$today") {
        person {
          displayName
          placements(on: "$today") {
            attendanceSchedules(on: "$today") {
              numberOfWeeks
              scheduleEntries { weekOffset dayOfWeekText startTime endTime }
            }
          }
          attendanceEvents(during: {from: "$today", to: "$today"}) { time eventTypeText }
        }
      }
    }
  }
}
""")


def examples(today: date | None = None) -> tuple[Example, ...]:
    """The examples for the week of ``today`` (default: today in Stockholm)."""
    today = today or datetime.now(UTC).astimezone(ZoneInfo("Europe/Stockholm")).date()
    monday = today - timedelta(days=today.weekday())
    days = {"today": today, "week_ago": today - timedelta(7), "monday": monday, "sunday": monday + timedelta(6)}
    dates = {name: day.isoformat() for name, day in days.items()}
    return (
        Example("A class this week, from all six sources", _CLASS.substitute(dates)),
        Example("Staff with their duties, and where each fact comes from", _STAFF),
        Example("Preschool departments today", _PRESCHOOL.substitute(dates)),
    )
