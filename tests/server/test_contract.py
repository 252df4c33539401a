"""Every endpoint asked by chance, by its own description: no server error, and no answer that is not described."""

from __future__ import annotations

from itertools import count

import pytest
from starlette.testclient import TestClient

from facelib.project import Project

LEFT_OUT = {
    "GET /api/v1/events",  # never ends
    "PATCH /api/v1/projects/{project}/uploads/{upload}",  # of a media type that is not made up here
}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_every_endpoint_answers_as_it_is_described(owner: TestClient, named: Project) -> None:
    import schemathesis  # takes seconds, and each process that collects the tests would spend them
    from hypothesis import HealthCheck, Phase, given, settings
    from schemathesis import checks

    headers = {"Authorization": owner.headers["Authorization"]}
    schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", owner.app, headers=headers)
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) > 30
    turns, asked = count(), dict[str, int]()

    def ask(operation: schemathesis.APIOperation) -> None:
        @settings(
            max_examples=max(1, round(400 / len(operations))), deadline=None, derandomize=True, database=None,
            phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(case=operation.as_strategy())
        def once(case: schemathesis.Case) -> None:
            if "project" in case.path_parameters and next(turns) % 4:
                case.path_parameters["project"] = "demo"  # else hardly one is of a project that there is
            response = case.call(headers=headers)
            wanted = [
                checks.not_a_server_error,
                checks.status_code_conformance,
                checks.content_type_conformance,
                checks.response_schema_conformance,
            ]
            case.validate_response(response, checks=wanted)
            asked[operation.label] = asked.get(operation.label, 0) + 1

        once()

    wrong: dict[str, str] = {}
    for operation in operations:
        if operation.label in LEFT_OUT:
            continue
        try:
            ask(operation)
        except Exception as error:
            wrong[operation.label] = str(error)
    assert wrong == {}
    assert len(asked) > len(operations) / 2
