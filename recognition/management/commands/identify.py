"""Who is in these pictures, from the shell."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from recognition import registry, services
from recognition.annotation import annotate
from recognition.api import serializers
from recognition.pictures import decode_picture
from recognition.services import IdentifiedImage
from stashsense.exceptions import StashSenseError

PICTURE_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".avif", ".gif"}


class Command(BaseCommand):
    help = "Say who is in the given pictures, or in the pictures of given folders."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("paths", nargs="+", type=Path, metavar="PATH")
        parser.add_argument("--json", action="store_true", help="a JSON line a picture")
        parser.add_argument(
            "--annotate", type=Path, metavar="DIR", help="write pictures with names"
        )
        parser.add_argument("--top-k", type=int, default=serializers.DEFAULT_TOP_K)
        parser.add_argument(
            "--max-distance", type=float, default=serializers.DEFAULT_MAX_DISTANCE
        )
        parser.add_argument(
            "--min-face-confidence",
            type=float,
            default=serializers.DEFAULT_MIN_FACE_CONFIDENCE,
        )

    def handle(self, *args: Any, **options: Any) -> None:
        form = serializers.IdentifyRequest(data=options)
        if not form.is_valid():
            raise CommandError(_sentences(form.errors))
        pictures = _pictures(options["paths"])
        if options["annotate"]:
            options["annotate"].mkdir(parents=True, exist_ok=True)
        try:
            registry.load_active()
        except StashSenseError as error:
            raise CommandError(str(error)) from error
        failed = [
            path for path in pictures if not self._identify(path, form.data, options)
        ]
        if failed:
            raise CommandError(f"{len(failed)} of {len(pictures)} could not be read.")

    def _identify(
        self, path: Path, matching: dict[str, Any], options: dict[str, Any]
    ) -> bool:
        """Print who is in one picture; return False, with the reason on stderr."""
        try:
            data = path.read_bytes()
            identified = services.identify_image(
                data,
                max_candidates=matching["top_k"],
                max_distance=matching["max_distance"],
                min_face_confidence=matching["min_face_confidence"],
            )
        except (OSError, StashSenseError) as error:
            self.stderr.write(f"{path}: {error}")
            return False
        if options["json"]:
            answer = {"path": str(path), **serializers.identify_answer(identified)}
            self.stdout.write(json.dumps(answer, ensure_ascii=False))
        else:
            self._print(path, identified)
        if options["annotate"]:
            target = options["annotate"] / f"{path.stem}.jpg"
            annotate(decode_picture(data), identified.faces).save(target, quality=92)
        return True

    def _print(self, path: Path, identified: IdentifiedImage) -> None:
        count = len(identified.faces)
        self.stdout.write(f"{path}: {count} face{'' if count == 1 else 's'}")
        for recognized in identified.faces:
            box = recognized.face.box
            place = f"  {box.width}x{box.height} at {box.x},{box.y}: "
            if not recognized.matches:
                self.stdout.write(place + "unknown")
            for number, match in enumerate(recognized.matches):
                lead = place if number == 0 else " " * len(place)
                self.stdout.write(
                    f"{lead}{match.performer.name}"
                    f"  confidence {match.candidate.confidence:.2f}"
                    f"  distance {match.candidate.distance:.3f}"
                    f"  {match.performer.universal_id}"
                )


def _pictures(paths: list[Path]) -> list[Path]:
    """Return the files named, and the pictures in the folders named, in order."""
    pictures: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(path.iterdir())
            pictures += [p for p in inside if p.suffix.lower() in PICTURE_SUFFIXES]
        elif path.is_file():
            pictures.append(path)
        else:
            raise CommandError(f"There is no file {path}.")
    if not pictures:
        raise CommandError("There are no pictures in the folders named.")
    return pictures


def _sentences(errors: dict[str, Any]) -> str:
    return " ".join(
        f"--{name.replace('_', '-')}: {' '.join(map(str, messages))}"
        for name, messages in errors.items()
    )
