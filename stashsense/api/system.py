"""What machine this is, and what the service can do on it."""

import time
from dataclasses import asdict
from typing import Any

import psutil
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from recognition import capabilities, model_files
from recognition.api.model_files import status_answer
from recognition.hardware import describe_hardware
from stashsense import __version__


class HardwareAnswer(serializers.Serializer[Any]):
    """The machine, within the limits of the container; MB are 1,000,000 bytes."""

    gpu_available = serializers.BooleanField(help_text="Whether a trial run worked.")
    gpu_name = serializers.CharField(allow_null=True)
    gpu_vram_mb = serializers.IntegerField(allow_null=True)
    cpu_cores = serializers.IntegerField()
    memory_total_mb = serializers.IntegerField()
    memory_available_mb = serializers.IntegerField()
    storage_free_mb = serializers.IntegerField(help_text="Where data is kept.")
    tier = serializers.CharField(help_text="gpu-high, gpu-low or cpu.")
    summary = serializers.CharField()


class SystemInfoAnswer(serializers.Serializer[Any]):
    """The service and the machine it runs on."""

    version = serializers.CharField()
    uptime_seconds = serializers.FloatField(help_text="Of the answering process.")
    hardware = HardwareAnswer()


class CapabilitiesAnswer(serializers.Serializer[Any]):
    """What can be used now, and of the rest, why not."""

    capabilities = serializers.DictField(child=serializers.BooleanField())
    reasons = serializers.DictField(
        child=serializers.CharField(), help_text="Why not, for each that is false."
    )
    models = serializers.DictField(help_text="As GET /models/status describes them.")


class SystemInfoView(APIView):
    """What does this run on?"""

    @extend_schema(operation_id="system_info", responses=SystemInfoAnswer)
    def get(self, request: Request) -> Response:
        """Return the machine and its hardware tier."""
        hardware = describe_hardware()
        return Response(
            {
                "version": __version__,
                "uptime_seconds": round(time.time() - psutil.Process().create_time()),
                "hardware": {
                    "gpu_available": hardware.gpu_name is not None,
                    **asdict(hardware),
                    "summary": hardware.summary,
                },
            }
        )


class CapabilitiesView(APIView):
    """What can be done here?"""

    @extend_schema(operation_id="capabilities", responses=CapabilitiesAnswer)
    def get(self, request: Request) -> Response:
        """Return what can be used, the reasons of what cannot, and the model files."""
        found = capabilities.all_capabilities()
        return Response(
            {
                "capabilities": {each.name: each.is_there for each in found},
                "reasons": {each.name: each.problem for each in found if each.problem},
                "models": status_answer(model_files.states()),
            }
        )
