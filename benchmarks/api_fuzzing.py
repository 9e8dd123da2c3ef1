"""Requests made of an API's own description, and whether the answers are as described.

Half of them fit the description and half do not. Where the description asks for an id,
every second request has one that there is, or nothing but refusals would be seen.
"""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

# A scene is identified in well under a minute; none of these videos is longer.
ANSWER_SECONDS = 120
CHECKS = [
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
]
_LONGEST_SHOWN = 400

# By the name of a parameter or field, values that mean something to the service.
Known = Mapping[str, Sequence[Any]]


@dataclass(frozen=True)
class Violation:
    """An answer that is not as described, with the request in words."""

    operation: str
    status: int
    title: str
    message: str = field(compare=False)
    request: str = field(compare=False)

    def __str__(self) -> str:
        first = f"{self.operation} {self.status} {self.title}"
        return f"{first}\n{self.message}\n{self.request}"


@dataclass
class Tally:
    """What was answered, and what of it was wrong."""

    answers: Counter[int] = field(default_factory=Counter)
    accepted: set[str] = field(default_factory=set)
    violations: Counter[Violation] = field(default_factory=Counter)
    server_errors: Counter[Violation] = field(default_factory=Counter)
    slowest_seconds: float = 0.0
    slowest_operation: str = ""


class Fuzzer:
    """Asks every operation of a described API, and tallies what it is answered."""

    def __init__(
        self,
        description: Mapping[str, Any],
        base_url: str,
        headers: Mapping[str, str],
        *,
        known: Known,
        tally: Tally,
    ) -> None:
        self._schema = schemathesis.openapi.from_dict(dict(description))
        self._base_url = base_url
        self._headers = dict(headers)
        self._known = known
        self._session = requests.Session()
        self.tally = tally

    def run(self, *, examples: int, seconds_each: float, first_seed: int) -> Tally:
        """Ask each operation up to `examples` times in either way; return the tally.

        No operation is begun to be asked after `seconds_each` of it, in either way.
        """
        with self._session:
            for result in self._schema.get_all_operations():
                # The schema was checked when it was made.
                operation: Any = result.ok()  # type: ignore[union-attr]
                for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                    until = time.monotonic() + seconds_each
                    self._ask_often(operation, mode, examples, first_seed, until)
        return self.tally

    def _ask_often(
        self,
        operation: Any,
        mode: GenerationMode,
        examples: int,
        first_seed: int,
        until: float,
    ) -> None:
        @seed(first_seed)
        @settings(
            max_examples=examples,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode), data=st.data())
        def ask(case: Any, data: st.DataObject) -> None:
            if time.monotonic() < until:
                self._put_known_values(case, data)
                self._ask(case)

        try:
            ask()
        except Unsatisfiable:
            # What has no parameters cannot be asked wrongly.
            assert mode is GenerationMode.NEGATIVE

    def _put_known_values(self, case: Any, data: st.DataObject) -> None:
        places = [case.path_parameters, case.query, case.body]
        for values in places:
            if not isinstance(values, dict):
                continue
            for name in [*values]:
                if name in self._known and data.draw(st.booleans()):
                    value = data.draw(st.sampled_from(self._known[name]))
                    is_many = isinstance(values[name], list)
                    values[name] = [value] if is_many else value

    def _ask(self, case: Any) -> None:
        started = time.monotonic()
        answer = case.call(
            base_url=self._base_url,
            session=self._session,
            headers=self._headers,
            timeout=ANSWER_SECONDS,
        )
        seconds = time.monotonic() - started
        label, status = case.operation.label, answer.status_code
        self.tally.answers[status] += 1
        if status < HTTPStatus.BAD_REQUEST:
            self.tally.accepted.add(label)
        if seconds > self.tally.slowest_seconds:
            self.tally.slowest_seconds = seconds
            self.tally.slowest_operation = label
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            told = answer.text[:_LONGEST_SHOWN]
            words = Violation(label, status, "", told, _of(case))
            self.tally.server_errors[words] += 1
        try:
            case.validate_response(answer, checks=CHECKS)
        except FailureGroup as group:
            self._keep(case, status, group)

    def _keep(self, case: Any, status: int, group: FailureGroup) -> None:
        for failure in group.exceptions:
            assert isinstance(failure, Failure)
            words = Violation(
                case.operation.label,
                status,
                failure.title,
                failure.message[:_LONGEST_SHOWN],
                _of(case),
            )
            self.tally.violations[words] += 1


def _of(case: Any) -> str:
    parts = f"{case.formatted_path} query {case.query} body {case.body!r}"
    return parts[:_LONGEST_SHOWN]
