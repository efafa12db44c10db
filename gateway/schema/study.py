"""What is studied: Programme, Syllabus, SchoolUnitOffering, StudyPlan."""

from __future__ import annotations

from .types import entity


@entity("Programme")
class Programme:
    pass


@entity("Syllabus")
class Syllabus:
    pass


@entity("SchoolUnitOffering")
class SchoolUnitOffering:
    pass


@entity("StudyPlan")
class StudyPlan:
    pass
