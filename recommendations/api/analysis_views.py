"""Routes about analyses and their runs."""

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from recommendations import history, runs
from recommendations.api import run_serializers as shapes
from recommendations.api.requests import asker_of, number_of, path_id
from recommendations.models import OPERATE
from recommendations.run_types import all_run_types, get_analyzer
from stashsense.api.requests import validated

# Somebody waits for it: before what starts by itself.
ASKED_PRIORITY = 10


class TypesView(APIView):
    """What can be looked for?"""

    @extend_schema(operation_id="analysis_types", responses=shapes.AnalysisTypesAnswer)
    def get(self, request: Request) -> Response:
        """Return every analysis."""
        types = [
            shapes.analysis_type_answer(each)
            for each in all_run_types().values()
            if each.analyzer is not None
        ]
        return Response({"types": types})


class RunView(APIView):
    """Look for it."""

    required_permission = OPERATE

    @extend_schema(
        operation_id="analysis_run",
        parameters=[shapes.RunQuery],
        request=None,
        responses={
            200: shapes.AnalysisStartedAnswer,
            400: OpenApiResponse(description="No such analysis, or no Stash is set."),
            409: OpenApiResponse(description="A run of it has not ended."),
        },
    )
    def post(self, request: Request, type: str) -> Response:
        """Begin a run; it is followed at /recommendations/analysis/runs/ID."""
        asked = validated(shapes.RunQuery, request.query_params)
        analyzer = get_analyzer(type)
        run = runs.request_run(
            analyzer.type,
            asker=asker_of(request),
            is_full=asked["full"],
            priority=ASKED_PRIORITY,
        )
        return Response(
            {
                "run_id": run.pk,
                "job_id": run.pk,
                "message": f"{analyzer.display_name}: run {run.pk} was asked for.",
            }
        )


class RunsView(APIView):
    """What was looked for?"""

    @extend_schema(
        operation_id="analysis_runs",
        parameters=[shapes.RunsQuery],
        responses=shapes.AnalysisRunAnswer(many=True),
    )
    def get(self, request: Request) -> Response:
        """Return runs, the latest first."""
        asked = validated(shapes.RunsQuery, request.query_params)
        found = history.find_analysis_runs(type=asked["type"])[: asked["limit"]]
        return Response([shapes.run_answer(run) for run in found])


class RunDetailView(APIView):
    """How far is it?"""

    @extend_schema(
        operation_id="analysis_run_detail",
        parameters=[path_id("run_id")],
        responses={
            200: shapes.AnalysisRunAnswer,
            404: OpenApiResponse(description="There is no run of this id."),
        },
    )
    def get(self, request: Request, run_id: str) -> Response:
        """Return how far a run is, or how it ended."""
        run = runs.get_run(number_of(run_id, "run_id"))
        return Response(shapes.run_answer(run))
